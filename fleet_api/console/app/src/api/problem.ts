// Errors of the API as one class: what happened, what to do about it, and what is told apart (session, connection).
import type { components } from "./schema";

export type ProblemDocument = components["schemas"]["Problem"];

/** The code of a request that got no answer: the network, or a server that does not run. */
export const CONNECTION_LOST = "connection_lost";
/** The code of an answer that is no answer of the API, such as one of a proxy in front of it. */
export const FOREIGN_ANSWER = "foreign_answer";

export class Problem extends Error {
  readonly document: ProblemDocument;

  constructor(document: ProblemDocument) {
    super(document.detail);
    this.name = "Problem";
    this.document = document;
  }

  /** What happened, for programs: the error's code, such as `conflict`. */
  get code(): string {
    return this.document.code;
  }
  /** The HTTP status; 0 where no answer came. */
  get status(): number {
    return this.document.status;
  }
  /** What happened, in a sentence. */
  get detail(): string {
    return this.document.detail;
  }
  /** What to do about it; may be empty. */
  get remedy(): string {
    return this.document.remedy ?? "";
  }
  get isConnectionLost(): boolean {
    return this.code === CONNECTION_LOST;
  }
  /** Whether the same request may succeed later without any change. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The problem of an answer that is not 2xx. */
export async function problemOf(response: Response): Promise<Problem> {
  const document = await documentOf(response);
  return new Problem(document ?? foreignAnswer(response.status));
}

/** The problem of a request without an answer. */
export function connectionLost(): Problem {
  return new Problem({
    status: 0,
    code: CONNECTION_LOST,
    detail: "Longtail does not answer.",
    remedy: "Check the network, and whether the deployment runs (`longtail up`). What you typed is kept.",
  });
}

/** Anything that was thrown, as a problem; what is no problem is a mistake of the console, and is thrown on. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}

/** What a request throws that was given up. */
export function abortError(): DOMException {
  return new DOMException("The request was given up.", "AbortError");
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

async function documentOf(response: Response): Promise<ProblemDocument | undefined> {
  if (!(response.headers.get("content-type") ?? "").startsWith("application/problem+json")) return undefined;
  try {
    const read: unknown = await response.json();
    return isDocument(read) ? read : undefined;
  } catch {
    return undefined; // cut off, or not JSON: the status is all that is known
  }
}

function isDocument(read: unknown): read is ProblemDocument {
  return typeof read === "object" && read !== null && "code" in read && "detail" in read && "status" in read;
}

function foreignAnswer(status: number): ProblemDocument {
  return {
    status,
    code: FOREIGN_ANSWER,
    detail: `The answer has the status ${status} and does not come from Longtail.`,
    remedy: "Ask whoever operates the deployment, or the proxy in front of it.",
  };
}
