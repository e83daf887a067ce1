// The router: the whole state of a view is its address, so every view can be shared. Links are plain `<a href>`.
import { base } from "../settings";
import { keepScroll } from "./scroll";

export type Query = Record<string, string | number | boolean | null | undefined>;

class Router {
  /** The path below /console, such as `/campaigns/braking`. */
  path = $state("/");
  /** The query; change it by `setQuery`. */
  query = $state.raw(new URLSearchParams());
  /** How many times the path has changed, so that focus can follow. */
  navigations = $state(0);

  constructor() {
    if (typeof window === "undefined") return;
    this.#read();
    window.addEventListener("pagehide", keepScroll);
    window.addEventListener("popstate", () => this.#read());
    document.addEventListener("click", (event) => this.#follow(event));
  }

  /** Go to a page by its path below /console, with its query: `router.go("/clips?order=-time")`. */
  go(to: string, { replace = false } = {}): void {
    const url = base + to;
    if (url === location.pathname + location.search + location.hash) return;
    if (replace) history.replaceState(history.state, "", url);
    else {
      keepScroll();
      history.pushState(null, "", url);
    }
    this.#read();
  }

  /** Change some parameters of the query; null and empty ones are taken away. By default no new entry in the history. */
  setQuery(changes: Query, { replace = true } = {}): void {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "" || value === false) query.delete(name);
      else query.set(name, value === true ? "1" : String(value));
    }
    const written = query.toString();
    this.go(this.path + (written === "" ? "" : `?${written}`), { replace });
  }

  /** Where one is, as `go` takes it. */
  get here(): string {
    const written = this.query.toString();
    return this.path + (written === "" ? "" : `?${written}`);
  }

  #read(): void {
    const path = pathOf(location.pathname);
    if (path !== this.path) {
      this.path = path;
      this.navigations += 1;
    }
    if (location.search.replace(/^\?/, "") !== this.query.toString()) {
      this.query = new URLSearchParams(location.search);
    }
  }

  /** A plain click on a link to a page of the console does not load it from the server. */
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || !`${link.pathname}/`.startsWith(`${base}/`)) return;
    if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
    event.preventDefault();
    this.go(link.pathname.slice(base.length) + link.search + link.hash);
  }
}

/** The path below /console: `/` for the console itself, without a slash at its end. */
function pathOf(pathname: string): string {
  const below = pathname.startsWith(base) ? pathname.slice(base.length) : pathname;
  return below.replace(/\/+$/, "") || "/";
}

export const router = new Router();

/** The address of a page for a link: `href("/campaigns/braking", { tab: "funnel" })`. */
export function href(path: string, query: Query = {}): string {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) {
      written.set(name, value === true ? "1" : String(value));
    }
  }
  const text = written.toString();
  return base + path + (text === "" ? "" : `?${text}`);
}

/** The values of a pattern such as `/campaigns/:campaign` in a path; null if the path is another. */
export function matched(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  if (wanted.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, name] of wanted.entries()) {
    const part = parts[index] ?? "";
    if (name.startsWith(":")) {
      const value = decoded(part);
      if (!value) return null;
      params[name.slice(1)] = value;
    } else if (name !== part) return null;
  }
  return params;
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null; // such as %zz, which somebody has typed
  }
}
