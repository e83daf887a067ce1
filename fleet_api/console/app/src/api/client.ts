// The client of the API: typed by its OpenAPI document, same-origin cookie, problems as a class, one sign-in if needed.
import { settings } from "../settings";
import { connectionLost, isAbort, problemOf } from "./problem";
import type { paths } from "./schema";

type Method = "get" | "post" | "put" | "patch" | "delete";
/** The paths of the API that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;
/** JSON, GeoJSON or a JSON schema: each answer has one of them. */
type Json<T> = T extends { content: infer C } ? C[keyof C] : undefined;
type Success = 200 | 201 | 202 | 203 | 204;

/** What an operation answers with. */
export type Answer<P extends keyof paths, M extends Method = "get"> =
  Operation<P, M> extends { responses: infer R } ? { [S in keyof R & Success]: Json<R[S]> }[keyof R & Success] : never;
type BodyOf<R> = [R] extends [never] ? undefined : R extends { content: { "application/json": infer B } } ? B : undefined;
/** The body that an operation takes; it may be left out where the document says so. */
export type Body<P extends keyof paths, M extends Method = "post"> =
  Operation<P, M> extends { requestBody: infer R }
    ? BodyOf<R>
    : Operation<P, M> extends { requestBody?: infer R }
      ? BodyOf<NonNullable<R>> | undefined
      : undefined;
type Part<O, K extends "path" | "query"> = O extends { parameters: Record<K, infer V> }
  ? V
  : O extends { parameters: Partial<Record<K, infer V>> }
    ? V
    : undefined;
type Needed<K extends string, V> = [V] extends [undefined]
  ? Partial<Record<K, never>>
  : undefined extends V
    ? { [N in K]?: V }
    : Record<never, string> extends V
      ? { [N in K]?: V }
      : { [N in K]: V };
/** What a request may or must say: `path` and `query` parameters, `body`, and a signal to give it up. */
export type Options<P extends keyof paths, M extends Method> = Needed<"path", Part<Operation<P, M>, "path">> &
  Needed<"query", Part<Operation<P, M>, "query">> &
  Needed<"body", Body<P, M>> & { signal?: AbortSignal | undefined };
type Given<P extends keyof paths, M extends Method> =
  Record<never, string> extends Options<P, M> ? [options?: Options<P, M>] : [options: Options<P, M>];

interface Loose {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** Called when a request needs a session and there is none; resolves with whether to send it again. */
export type SignInAgain = () => Promise<boolean>;
let signInAgain: SignInAgain = () => Promise.resolve(false);
export function onSessionEnd(handler: SignInAgain): void {
  signInAgain = handler;
}

/** Requests to the API. Each returns the answer's JSON, or throws a `Problem`, or an AbortError for its signal. */
export const api = {
  get: <P extends PathOf<"get">>(path: P, ...given: Given<P, "get">): Promise<Answer<P, "get">> =>
    request("GET", path, given[0]),
  post: <P extends PathOf<"post">>(path: P, ...given: Given<P, "post">): Promise<Answer<P, "post">> =>
    request("POST", path, given[0]),
  /** `post` where the answer may be of something that was there before (200), and not made by this request (201). */
  make: <P extends PathOf<"post">>(path: P, ...given: Given<P, "post">): Promise<{ answer: Answer<P, "post">; isNew: boolean }> =>
    requestTold<Answer<P, "post">>("POST", path, given[0]).then(({ answer, status }) => ({ answer, isNew: status === 201 })),
  put: <P extends PathOf<"put">>(path: P, ...given: Given<P, "put">): Promise<Answer<P, "put">> =>
    request("PUT", path, given[0]),
  patch: <P extends PathOf<"patch">>(path: P, ...given: Given<P, "patch">): Promise<Answer<P, "patch">> =>
    request("PATCH", path, given[0]),
  delete: <P extends PathOf<"delete">>(path: P, ...given: Given<P, "delete">): Promise<Answer<P, "delete">> =>
    request("DELETE", path, given[0]),
};

/** A request by its path as it is, for bytes and for answers that are not JSON. Throws like `api`. */
export async function fetchBytes(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await sent(settings.prefix + path, init);
  if (response.ok) return response;
  const isSignIn = path === "/v1/me" || path.startsWith("/v1/login");
  if (response.status === 401 && !isSignIn && (await signInAgain())) return fetchBytes(path, init);
  throw await problemOf(response);
}

/** The address of a path of the API, for links, images and videos. */
export function addressOf(path: string): string {
  return settings.prefix + path;
}

async function request<T>(method: string, template: string, options?: object): Promise<T> {
  return (await requestTold<T>(method, template, options)).answer;
}

async function requestTold<T>(method: string, template: string, options: object = {}): Promise<{ answer: T; status: number }> {
  const { path, query, body, signal } = options as Loose;
  const init: RequestInit = { method, signal: signal ?? null };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  const response = await fetchBytes(filled(template, path) + queryString(query), init);
  const { status } = response;
  if (status === 204) return { answer: undefined as T, status };
  try {
    return { answer: (await response.json()) as T, status };
  } catch (error) {
    if (isAbort(error)) throw error;
    throw connectionLost(); // it broke off in the middle
  }
}

async function sent(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { credentials: "same-origin", redirect: "error", ...init });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw connectionLost();
  }
}

/** `/v1/campaigns/{campaign}` with its values, each as one segment. */
export function filled(template: string, values: Record<string, unknown> = {}): string {
  return template.replace(/\{(\w+)(:path)?\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === null || value === "") throw new Error(`${template} needs ${name}`);
    return encodeURIComponent(String(value));
  });
}

/** The query with what is set: lists give their name again and again; undefined and null are left out. */
export function queryString(values: Record<string, unknown> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) query.append(name, String(each));
    }
  }
  const written = query.toString();
  return written === "" ? "" : `?${written}`;
}
