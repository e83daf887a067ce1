// What the server tells the page in its head: path prefix, ways to sign in, version, tile server, whose catalogs.
export interface Settings {
  /** The path under which a proxy publishes the API, such as `/longtail`; empty without one. */
  prefix: string;
  version: string;
  /** Whether people can sign in at an OpenID provider. */
  provider: boolean;
  /** A style document of a map server; null for the plain base map. */
  mapStyleUrl: string | null;
  /** Whether authors may bring signal catalogs of their own where some are published. */
  authorCatalogs: boolean;
}

const WITHOUT_SERVER: Settings = { prefix: "", version: "", provider: false, mapStyleUrl: null, authorCatalogs: false };

function read(): Settings {
  if (typeof document === "undefined") return WITHOUT_SERVER;
  const written = document.querySelector('meta[name="longtail-settings"]')?.getAttribute("content") ?? "{}";
  return { ...WITHOUT_SERVER, ...(JSON.parse(written) as Partial<Settings>) };
}

export const settings: Settings = read();
/** The path of the console's pages. */
export const base: string = `${settings.prefix}/console`;
