// Who is signed in, with which roles; what happens when the session ends, so that nothing typed is lost.
import { api, onSessionEnd } from "../api/client";
import { Problem } from "../api/problem";
import type { Me } from "../api/types";

export type Role = "viewer" | "author" | "approver" | "operator" | "labeler" | "admin";
export type State = "unknown" | "signed-out" | "signed-in" | "ended";
const CHANNEL = "longtail-session";

class Session {
  /** `ended`: somebody was signed in, and the page asks over what it shows to sign in again. */
  state = $state<State>("unknown");
  me = $state.raw<Me | null>(null);
  /** Where to sign out of the provider itself, after signing out here; null if it has no such page. */
  providerLogout = $state<string | null>(null);
  /** How often somebody else has signed in: the page is made again for them. */
  generation = $state(0);
  #waiting: ((again: boolean) => void)[] = [];
  #channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);

  constructor() {
    onSessionEnd(() => this.#ended());
    if (this.#channel) this.#channel.onmessage = () => void this.find();
  }

  /** Find out who is signed in. Throws a Problem if that cannot be found out now. */
  async find(): Promise<void> {
    try {
      this.#begin(await api.get("/v1/me"));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      this.state = this.me === null ? "signed-out" : "ended";
    }
  }

  /** Exchange a token for a session of this browser. Throws a Problem for one that is not valid. */
  async signInByToken(token: string): Promise<void> {
    await api.post("/v1/login/token", { body: { token } });
    await this.find();
    this.tellOthers();
  }

  /** End the session, here and in every tab. */
  async signOut(): Promise<void> {
    const { provider_logout_url } = await api.post("/v1/logout");
    this.providerLogout = provider_logout_url;
    this.me = null;
    this.state = "signed-out";
    this.tellOthers();
  }

  /** Whether the person may do what this role may do; the API checks it again. */
  may(role: Role): boolean {
    const roles = this.me?.roles ?? [];
    if (role === "viewer") return roles.some((each) => each !== "labeler");
    return roles.includes(role) || roles.includes("admin");
  }

  /** Leave what waits for a session without one. */
  giveUp(): void {
    this.#answer(false);
    this.me = null;
    this.state = "signed-out";
  }

  /** Other tabs of this browser have the same cookie. */
  tellOthers(): void {
    this.#channel?.postMessage("changed");
  }

  #begin(me: Me): void {
    const isSame = this.me === null || this.me.id === me.id;
    const again = this.state === "ended";
    this.me = me;
    this.state = "signed-in";
    if (again) this.#answer(isSame);
    if (!isSame) this.generation += 1;
  }

  /** A request was refused for want of a session: it waits until its person has signed in again. */
  #ended(): Promise<boolean> {
    if (this.state !== "signed-in" && this.state !== "ended") return Promise.resolve(false);
    this.state = "ended";
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #answer(again: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(again);
  }
}

export const session = new Session();
