// What somebody set in the player stays set on this device: how loud, and whether with captions.

export interface Settings {
  /** From 0 to 1. */
  volume: number;
  muted: boolean;
  captions: boolean;
}

const NAME = "player.settings";
const FIRST: Settings = { volume: 1, muted: false, captions: true };

let known: Settings | null = null;

/** What is set. */
export function kept(): Settings {
  known ??= read(stored());
  return known;
}

/** Sets something. */
export function keep(part: Partial<Settings>): void {
  const before = kept();
  known = { ...before, ...part };
  if (known.volume === before.volume && known.muted === before.muted && known.captions === before.captions) return;
  try {
    localStorage.setItem(NAME, JSON.stringify(known));
  } catch {
    // A browser that keeps nothing: it is as it was at the next visit.
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

/** Reads what was kept; whatever is not as it should be is as at first. */
export function read(text: string | null): Settings {
  let value: unknown = null;
  try {
    value = JSON.parse(text ?? "null");
  } catch {
    return FIRST;
  }
  const { volume, muted, captions } = (typeof value === "object" && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  return {
    volume: typeof volume === "number" && volume >= 0 && volume <= 1 ? volume : FIRST.volume,
    muted: typeof muted === "boolean" ? muted : FIRST.muted,
    captions: typeof captions === "boolean" ? captions : FIRST.captions,
  };
}
