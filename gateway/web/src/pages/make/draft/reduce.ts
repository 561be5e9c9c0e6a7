// What can be done to a draft. Pure: keys of new things come in with the action.
import {
  type ClipForm,
  type Draft,
  type DraftClip,
  type DraftSource,
  emptyForm,
  type Options,
  type Sending,
  sameRef,
} from "./model";

/** Something that was taken out, and where it stood. */
export interface Taken<T> {
  at: number;
  item: T;
}

export type Action =
  | { type: "replace"; draft: Draft }
  | { type: "add-source"; source: DraftSource }
  | { type: "change-source"; key: string; changes: Partial<DraftSource> }
  | { type: "remove-source"; key: string }
  | { type: "put-back"; sources: Taken<DraftSource>[]; clips: Taken<DraftClip>[] }
  | { type: "look-at"; source: string }
  | { type: "cut-from"; source: string }
  | { type: "form"; changes: Partial<ClipForm> }
  | { type: "save-clip"; key: string }
  | { type: "edit-clip"; key: string }
  | { type: "stop-editing" }
  | { type: "add-clips"; clips: DraftClip[] }
  | { type: "move-clip"; from: number; to: number }
  | { type: "copy-clip"; key: string; as: string }
  | { type: "remove-clip"; key: string }
  | { type: "options"; changes: Partial<Options> }
  | { type: "sending"; sending: Sending | null };

export function reduce(draft: Draft, action: Action): Draft {
  switch (action.type) {
    case "replace":
      return action.draft;
    case "add-source":
      return addSource(draft, action.source);
    case "change-source":
      return {
        ...draft,
        sources: draft.sources.map((source) => (source.key === action.key ? { ...source, ...action.changes } : source)),
      };
    case "remove-source":
      return removeSource(draft, action.key);
    case "put-back":
      return putBack(draft, action.sources, action.clips);
    case "look-at":
      return lookAt(draft, action.source);
    case "cut-from":
      return cutFrom(draft, action.source);
    case "form":
      return { ...draft, form: { ...draft.form, ...action.changes } };
    case "save-clip":
      return saveClip(draft, action.key);
    case "edit-clip":
      return editClip(draft, action.key);
    case "stop-editing":
      return withoutMarks({ ...draft, form: { ...emptyForm(), source: draft.form.source } });
    case "add-clips":
      return { ...draft, clips: [...draft.clips, ...action.clips] };
    case "move-clip":
      return moveClip(draft, action.from, action.to);
    case "copy-clip": {
      const at = draft.clips.findIndex((clip) => clip.key === action.key);
      const clip = draft.clips[at];
      if (!clip) return draft;
      return { ...draft, clips: spliced(draft.clips, at + 1, 0, { ...clip, key: action.as }) };
    }
    case "remove-clip": {
      const left = { ...draft, clips: draft.clips.filter((clip) => clip.key !== action.key) };
      return draft.form.editing === action.key ? { ...left, form: { ...draft.form, editing: null } } : left;
    }
    case "options":
      return { ...draft, options: { ...draft.options, ...action.changes } };
    case "sending":
      return { ...draft, sending: action.sending };
  }
}

function addSource(draft: Draft, source: DraftSource): Draft {
  const known = draft.sources.find((other) => sameRef(other.ref, source.ref));
  if (known) return { ...draft, form: { ...draft.form, source: known.key } };
  // The first one is looked at by itself; others do not take the player away from what is being done.
  const looked = draft.form.source ?? source.key;
  return { ...draft, sources: [...draft.sources, source], form: { ...draft.form, source: looked } };
}

function removeSource(draft: Draft, key: string): Draft {
  const sources = draft.sources.filter((source) => source.key !== key);
  const clips = draft.clips.filter((clip) => clip.source !== key);
  const { options } = draft;
  const without = (name: "intro" | "outro") =>
    options[name].source === key ? { source: "", start: "", end: "" } : options[name];
  const editing = clips.some((clip) => clip.key === draft.form.editing) ? draft.form.editing : null;
  const looked = draft.form.source === key ? (sources[0]?.key ?? null) : draft.form.source;
  return {
    ...draft,
    sources,
    clips,
    options: { ...options, intro: without("intro"), outro: without("outro") },
    form: { ...draft.form, source: looked, editing },
  };
}

/** Shows another source. A clip that was being changed stays as it is: it belongs to the source that is left. */
function lookAt(draft: Draft, source: string): Draft {
  const { form } = draft;
  if (form.source === source) return draft;
  return { ...draft, form: form.editing ? { ...emptyForm(), source } : { ...form, source } };
}

/** Shows another source; a clip that is being changed goes there with its marks. */
function cutFrom(draft: Draft, source: string): Draft {
  const { form } = draft;
  const from = draft.sources.find((one) => one.key === form.source);
  if (!form.editing || !from || from.key === source) return lookAt(draft, source);
  const { start, end } = from;
  const moved = withoutMarks(draft);
  return {
    ...moved,
    sources: moved.sources.map((one) => (one.key === source ? { ...one, start, end } : one)),
    form: { ...form, source },
  };
}

function putBack(draft: Draft, sources: Taken<DraftSource>[], clips: Taken<DraftClip>[]): Draft {
  const into = <T extends { key: string }>(list: T[], taken: Taken<T>[]) =>
    taken
      .filter(({ item }) => !list.some((other) => other.key === item.key))
      .sort((a, b) => a.at - b.at)
      .reduce((all, { at, item }) => spliced(all, Math.min(at, all.length), 0, item), list);
  const back = into(draft.sources, sources);
  return {
    ...draft,
    sources: back,
    clips: into(draft.clips, clips),
    form: { ...draft.form, source: draft.form.source ?? back[0]?.key ?? null },
  };
}

function saveClip(draft: Draft, key: string): Draft {
  const { form } = draft;
  const source = draft.sources.find((one) => one.key === form.source);
  if (!source) return draft;
  const { source: _, editing, ...told } = form;
  const clip: DraftClip = { ...told, key: editing ?? key, source: source.key, start: source.start, end: source.end };
  const clips = editing ? draft.clips.map((other) => (other.key === editing ? clip : other)) : [...draft.clips, clip];
  // Moments of one source often show the same person: the name stays for the next one.
  const next = { ...emptyForm(), source: source.key, streamer: form.streamer };
  return withoutMarks({ ...draft, clips, form: next });
}

function editClip(draft: Draft, key: string): Draft {
  const clip = draft.clips.find((one) => one.key === key);
  if (!clip) return draft;
  const { start, end, key: _, ...told } = clip;
  return {
    ...draft,
    sources: draft.sources.map((source) => (source.key === clip.source ? { ...source, start, end } : source)),
    form: { ...told, editing: key },
  };
}

function withoutMarks(draft: Draft): Draft {
  return {
    ...draft,
    sources: draft.sources.map((source) =>
      source.key === draft.form.source ? { ...source, start: "", end: "" } : source,
    ),
  };
}

function moveClip(draft: Draft, from: number, to: number): Draft {
  const clip = draft.clips[from];
  if (!clip || from === to || to < 0 || to >= draft.clips.length) return draft;
  return { ...draft, clips: spliced(spliced(draft.clips, from, 1), to, 0, clip) };
}

/** The list with some taken out at a place and others put there. (`toSpliced` is not everywhere that this runs.) */
function spliced<T>(list: readonly T[], at: number, out: number, ...items: T[]): T[] {
  return [...list.slice(0, at), ...items, ...list.slice(at + out)];
}
