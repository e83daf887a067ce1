// The pages of the console: which address shows which file. A page's code is loaded when it is first shown.
import type { Component } from "svelte";
import type { Role } from "./shell/session.svelte";

/** What every page is given: the values of its pattern's names. */
export interface PageProps {
  params: Record<string, string>;
}
/** A page; one that needs no params declares none. */
export type Page = Component<PageProps> | Component;
export type Section = "campaigns" | "clips" | "budget" | "labels";
export interface Route {
  /** The path below /console; `:name` is a value. */
  pattern: string;
  /** The page's title in the browser; a page with a better one has a `<svelte:head>`. */
  title: string;
  /** Which entry of the navigation it belongs to. */
  section?: Section;
  /** Who may see it; without it, everybody who is signed in and may read. */
  role?: Role;
  /** Whether it is shown without a session. */
  isPublic?: boolean;
  load: () => Promise<{ default: Page }>;
}

export const SIGN_IN = "/signin";

export const ROUTES: readonly Route[] = [
  { pattern: SIGN_IN, title: "Sign in", isPublic: true, load: () => import("./pages/signin/SignIn.svelte") },
  {
    pattern: "/signin/done",
    title: "Signed in",
    isPublic: true,
    load: () => import("./pages/signin/SignedIn.svelte"),
  },
  {
    pattern: "/campaigns",
    title: "Campaigns",
    section: "campaigns",
    role: "viewer",
    load: () => import("./pages/campaigns/CampaignList.svelte"),
  },
  {
    pattern: "/campaigns/new-campaign",
    title: "New campaign",
    section: "campaigns",
    role: "author",
    load: () => import("./pages/campaigns/editor/Edit.svelte"),
  },
  {
    pattern: "/campaigns/:campaign",
    title: "Campaign",
    section: "campaigns",
    role: "viewer",
    load: () => import("./pages/campaigns/campaign/Campaign.svelte"),
  },
  {
    pattern: "/campaigns/:campaign/edit",
    title: "Edit a campaign",
    section: "campaigns",
    role: "author",
    load: () => import("./pages/campaigns/editor/Edit.svelte"),
  },
  {
    pattern: "/campaigns/:campaign/backtest",
    title: "Backtest",
    section: "campaigns",
    role: "author",
    load: () => import("./pages/campaigns/backtest/Backtest.svelte"),
  },
  {
    pattern: "/clips",
    title: "Clips",
    section: "clips",
    role: "viewer",
    load: () => import("./pages/clips/Clips.svelte"),
  },
  {
    pattern: "/clips/:clip",
    title: "Clip",
    section: "clips",
    role: "viewer",
    load: () => import("./pages/clips/clip/Clip.svelte"),
  },
  {
    pattern: "/budget",
    title: "Volume and budget",
    section: "budget",
    role: "viewer",
    load: () => import("./pages/budget/Budget.svelte"),
  },
  { pattern: "/labels", title: "Labels", section: "labels", load: () => import("./pages/labels/Labels.svelte") },
];

/** The navigation, in its order. */
export const SECTIONS: readonly { section: Section; title: string; path: string; role: Role }[] = [
  { section: "campaigns", title: "Campaigns", path: "/campaigns", role: "viewer" },
  { section: "clips", title: "Clips", path: "/clips", role: "viewer" },
  { section: "budget", title: "Volume and budget", path: "/budget", role: "viewer" },
  { section: "labels", title: "Labels", path: "/labels", role: "labeler" },
];
