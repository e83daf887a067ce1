// What client.ts promises: addresses, problems told apart, and a request that waits for its person to sign in again.
import { afterEach, expect, it, vi } from "vitest";
import { api, filled, onSessionEnd, queryString } from "./client";
import { CONNECTION_LOST, FOREIGN_ANSWER, Problem } from "./problem";

afterEach(() => vi.unstubAllGlobals());

function answering(...answers: (Response | Error)[]): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(() => {
    const answer = answers.shift();
    return answer instanceof Response ? Promise.resolve(answer) : Promise.reject(answer ?? new Error("asked too often"));
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}
function json(status: number, body: unknown, type = "application/json"): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });
}
const ended = () => json(401, { status: 401, code: "unauthenticated", detail: "expired" }, "application/problem+json");
const problemOf = (request: Promise<unknown>) =>
  request.then(
    () => expect.fail("there was no problem"),
    (error: unknown) => error as Problem,
  );

it("writes each value of a path as one segment, and refuses to leave one out", () => {
  expect(filled("/v1/campaigns/{campaign}/{version}", { campaign: "a/b c", version: 3 })).toBe("/v1/campaigns/a%2Fb%20c/3");
  expect(() => filled("/v1/campaigns/{campaign}", { campaign: "" })).toThrow("needs campaign");
});
it("writes what is set of a query, lists as repetitions", () => {
  expect(queryString({ filter: "a = 'b'", limit: 0, after: undefined, tag: ["x", "y"], day: null })).toBe(
    "?filter=a+%3D+%27b%27&limit=0&tag=x&tag=y",
  );
  expect(queryString({})).toBe("");
});
it("tells what the API refuses, what somebody else answers, and what does not answer", async () => {
  const conflict = { status: 409, code: "conflict", detail: "it runs", remedy: "stop it" };
  answering(json(409, conflict, "application/problem+json"), new Response("<html>", { status: 502 }), new TypeError("net"));
  const problems = [];
  for (let count = 0; count < 3; count += 1) problems.push(await problemOf(api.get("/v1/campaigns")));
  expect(problems.map((each) => each.code)).toEqual(["conflict", FOREIGN_ANSWER, CONNECTION_LOST]);
  expect(problems.map((each) => each.isPassing)).toEqual([false, true, true]);
  expect(problems[0]?.remedy).toBe("stop it");
});
it("sends a request again once its person has signed in again, with its body", async () => {
  const fetched = answering(ended(), json(200, { campaign: "braking" }));
  onSessionEnd(() => Promise.resolve(true));
  const done = await api.post("/v1/campaigns", { body: { source: "trigger x", filename: "x", draft: false } });
  expect(done.campaign).toBe("braking");
  expect(fetched.mock.calls.map(([, init]) => (init as RequestInit).body)).toEqual([
    fetched.mock.calls[0]?.[1].body,
    fetched.mock.calls[0]?.[1].body,
  ]);
});
it("gives the problem on if nobody signs in again, and never waits to find out who is signed in", async () => {
  answering(ended(), ended());
  onSessionEnd(() => Promise.resolve(false));
  expect((await problemOf(api.get("/v1/campaigns"))).status).toBe(401);
  onSessionEnd(() => expect.fail("it waited"));
  expect((await problemOf(api.get("/v1/me"))).status).toBe(401);
});
it("gives up when it is told to", async () => {
  answering(new DOMException("given up", "AbortError"));
  await expect(api.get("/v1/campaigns")).rejects.toHaveProperty("name", "AbortError");
});
