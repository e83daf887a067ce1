// The steps of a campaign version's life: who may take which one now, and how each is asked for.
import type { CampaignSummary } from "../../../api/types";
import type { Role } from "../../../shell/session.svelte";

export type StepName = "submit" | "approve" | "reject" | "hold" | "pause" | "resume" | "stop";
/** What decides about a step. */
export type StepVersion = Pick<CampaignSummary, "state" | "held_at" | "stage" | "author_id" | "submitted_by_id">;
export interface Person {
  id: number;
  may: (role: Role) => boolean;
  /** Whether the deployment lets people approve what they wrote or submitted themselves. */
  mayApproveOwn: boolean;
}
export interface Step {
  name: StepName;
  /** The word of its button. */
  title: string;
  /** What follows from it, in a sentence. */
  follows: string;
  /** Whether it may be taken without a reason. */
  isOptional: boolean;
  isDangerous: boolean;
}

const STEPS: readonly (Step & { can: (version: StepVersion, person: Person) => boolean })[] = [
  {
    name: "submit",
    title: "Submit",
    follows: "Approvers see it as waiting for them. It does not change any more; a changed text is another version.",
    isOptional: true,
    isDangerous: false,
    can: (version, person) => version.state === "draft" && person.may("author"),
  },
  {
    name: "approve",
    title: "Approve",
    follows: "It is signed, and vehicles get it from then on, or from its first day.",
    isOptional: true,
    isDangerous: false,
    can: (version, person) => version.state === "submitted" && person.may("approver") && !isForOthers(version, person),
  },
  {
    name: "reject",
    title: "Reject",
    follows: "It becomes a draft again. Its author sees the reason.",
    isOptional: false,
    isDangerous: false,
    can: (version, person) => version.state === "submitted" && person.may("approver"),
  },
  {
    name: "hold",
    title: "Hold",
    follows: "Vehicles of this stage of the rollout keep it. No others get it until it is resumed.",
    isOptional: false,
    isDangerous: false,
    can: (version, person) => canHold(version) && mayStop(version, person),
  },
  {
    name: "pause",
    title: "Pause",
    follows: "All vehicles stop watching for it at their next check-in. Its place in the rollout is kept.",
    isOptional: false,
    isDangerous: false,
    can: (version, person) => version.state === "active" && mayStop(version, person),
  },
  {
    name: "resume",
    title: "Resume",
    follows: "It goes on from where it was.",
    isOptional: true,
    isDangerous: false,
    can: (version, person) => (version.state === "paused" || (version.state === "active" && version.held_at !== null)) && person.may("approver"),
  },
  {
    name: "stop",
    title: "Stop",
    follows: "It ends for good, and cannot be resumed. Its text can be applied again, as another version.",
    isOptional: false,
    isDangerous: true,
    can: (version, person) => version.state !== "completed" && version.state !== "stopped" && mayStop(version, person),
  },
];

/** The steps that a person may take with a version as it is; the API decides again. */
export function stepsOf(version: StepVersion, person: Person): Step[] {
  return STEPS.filter((step) => step.can(version, person));
}

/** A rollout that is not held yet and has a stage to come. */
function canHold(version: StepVersion): boolean {
  const { state, held_at, stage } = version;
  return state === "active" && held_at === null && stage !== null && stage.number < stage.stages;
}

/** Whether the person would approve the version, and only another approver may. */
export function needsAnother(version: StepVersion, person: Person): boolean {
  return version.state === "submitted" && person.may("approver") && isForOthers(version, person);
}

function isForOthers(version: StepVersion, person: Person): boolean {
  return isOwn(version, person) && !person.mayApproveOwn;
}

/** Whether the person wrote or submitted the version: most deployments let somebody else approve it. */
export function isOwn(version: StepVersion, person: Pick<Person, "id">): boolean {
  return person.id === version.author_id || person.id === version.submitted_by_id;
}

/** Approvers may, and authors what they wrote or submitted themselves. */
function mayStop(version: StepVersion, person: Person): boolean {
  return person.may("approver") || (isOwn(version, person) && person.may("author"));
}

/** What an approval of a version stops, in a sentence; empty where no other version runs or waits for its first day. */
export function stoppedBy(versions: readonly { version: number; state: StepVersion["state"] }[], approved: number): string {
  const others = versions.filter(({ version }) => version !== approved);
  const running = others.find(({ state }) => state === "active" || state === "paused");
  const waiting = others.find(({ state }) => state === "approved");
  const told = [
    ...(running ? [`Version ${running.version}, which ${running.state === "active" ? "runs now" : "is paused"}, is stopped once this one begins.`] : []),
    ...(waiting ? [`Version ${waiting.version}, which waits for its first day, is stopped at once.`] : []),
  ];
  return told.join(" ");
}

/** The version that was approved last before this one; undefined where none was. Versions come newest first. */
export function approvedBefore<V extends { version: number; approved_at: string | null }>(newestFirst: readonly V[], version: number): V | undefined {
  return newestFirst.filter((each) => each.approved_at !== null && each.version !== version).sort((a, b) => (b.approved_at ?? "").localeCompare(a.approved_at ?? ""))[0];
}
