// Uploads that go on by themselves: in pieces (tus), again after a lost connection, on while another place of the page is looked at.
//
// Promises: an upload that broke off with the page goes on where it stopped once the same file is chosen again, told by its name, size and
// time; what is cancelled is deleted on the server; a finished one turns into a source of the draft, whoever looks at it.

import { useSyncExternalStore } from "react";
import { Upload } from "tus-js-client";
import { ENDPOINT, mistakeOf, PIECE } from "../../../lib/sending";
import { type DraftSource, newSource } from "../draft/model";
import { dispatch, getDraft } from "../draft/store";

/** Waits between tries, in milliseconds; counted anew whenever a piece got through. */
const WAITS = [0, 1000, 3000, 5000, 10_000, 15_000, 30_000, 30_000];
/** How often progress is shown, and over how long speed is taken, in milliseconds. */
const [SHOW_EVERY, SPEED_OVER] = [250, 5000];

export interface Transfer {
  state: "running" | "waiting" | "paused" | "failed";
  sent: number;
  total: number;
  /** Bytes a second; null before that is known. */
  speed: number | null;
  /** Why it failed, and what to do. */
  mistake: string | null;
}

interface Own {
  upload: Upload;
  /** Where the browser plays the file from, while it is here. */
  play: string;
  transfer: Transfer;
  looks: { at: number; sent: number }[];
  shown: number;
}

const own = new Map<string, Own>();
const listeners = new Set<() => void>();

function show(key: string, changes: Partial<Transfer>): void {
  const one = own.get(key);
  if (!one) return;
  one.transfer = { ...one.transfer, ...changes };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** How an upload stands; undefined where nothing of it is on its way in this window. */
export function useTransfer(key: string): Transfer | undefined {
  return useSyncExternalStore(subscribe, () => own.get(key)?.transfer);
}

/** Where a file that was chosen in this window can be played from without the server. */
export function useLocalMedia(key: string | undefined): string | undefined {
  return useSyncExternalStore(subscribe, () => (key ? own.get(key)?.play : undefined));
}

const isSame = (source: DraftSource, file: File): boolean =>
  source.name === file.name && source.file?.size === file.size && source.file.modified === file.lastModified;

/** Sends files: those that broke off before go on, all others begin. */
export function sendFiles(files: File[]): void {
  for (const file of files) {
    const known = getDraft().sources.find((source) => source.ref === null && isSame(source, file));
    if (known) begin(known, file);
    else {
      const source = newSource(null, file.name, { size: file.size, modified: file.lastModified, url: null, sent: 0 });
      dispatch({ type: "add-source", source });
      begin(source, file);
    }
  }
}

/** Goes on with an upload that broke off. False where it is another file. */
export function goOn(source: DraftSource, file: File): boolean {
  if (!isSame(source, file)) return false;
  begin(source, file);
  return true;
}

function begin(source: DraftSource, file: File): void {
  const { key } = source;
  const before = own.get(key);
  if (before && before.transfer.state !== "failed") {
    resume(key);
    return;
  }
  if (before) URL.revokeObjectURL(before.play);
  const keep = (changes: { url?: string | null; sent?: number }) => {
    const now = getDraft().sources.find((one) => one.key === key)?.file;
    if (now) dispatch({ type: "change-source", key, changes: { file: { ...now, ...changes } } });
  };
  const upload = new Upload(file, {
    endpoint: new URL(ENDPOINT, location.href).href,
    // The draft remembers where it is sent to: the library's own memory would outlive what is thrown away here.
    storeFingerprintForResuming: false,
    uploadUrl: source.file?.url ?? null,
    chunkSize: PIECE,
    retryDelays: WAITS,
    metadata: { filename: file.name },
    onShouldRetry: (error) => {
      const status = error.originalResponse?.getStatus() ?? 0;
      const retries = status === 0 || status === 409 || status === 423 || status === 429 || status >= 500;
      if (retries) show(key, { state: "waiting", speed: null });
      return retries;
    },
    onUploadUrlAvailable: () => keep({ url: upload.url }),
    onProgress: (sent, total) => progress(key, sent, total),
    onChunkComplete: (_, sent) => keep({ sent }),
    onSuccess: () => {
      const id = upload.url?.split("/").filter(Boolean).at(-1);
      // The file stays playable from here: nothing has to come back from the server for that.
      if (id) dispatch({ type: "change-source", key, changes: { ref: { upload: id }, file: null } });
      show(key, { state: "running", sent: file.size, speed: null });
    },
    onError: (error) => show(key, { state: "failed", speed: null, mistake: mistakeOf(error) }),
  });
  const sent = source.file?.sent ?? 0;
  own.set(key, {
    upload,
    play: URL.createObjectURL(file),
    transfer: { state: "running", sent, total: file.size, speed: null, mistake: null },
    looks: [],
    shown: 0,
  });
  show(key, {});
  upload.start();
}

function progress(key: string, sent: number, total: number): void {
  const one = own.get(key);
  if (!one || one.transfer.state === "paused") return;
  const now = Date.now();
  if (now - one.shown < SHOW_EVERY && sent < total) return;
  one.shown = now;
  one.looks = [...one.looks.filter((look) => now - look.at < SPEED_OVER), { at: now, sent }];
  const first = one.looks[0];
  const seconds = first ? (now - first.at) / 1000 : 0;
  const speed = first && seconds >= 1 ? Math.max(0, (sent - first.sent) / seconds) : null;
  show(key, { state: "running", sent, total, speed, mistake: null });
}

/** Stops sending until it is resumed. */
export function pause(key: string): void {
  const one = own.get(key);
  if (!one) return;
  void one.upload.abort();
  show(key, { state: "paused", speed: null });
}

export function resume(key: string): void {
  const one = own.get(key);
  if (!one || one.transfer.state === "running") return;
  one.looks = [];
  show(key, { state: "running", mistake: null });
  one.upload.start();
}

/** Stops sending for good and deletes what the server has. */
export function cancel(source: DraftSource): void {
  const one = own.get(source.key);
  const url = one?.upload.url ?? source.file?.url;
  void one?.upload.abort();
  forget(source.key);
  // Where this does not get through, the server throws it away after a day.
  if (url) void Upload.terminate(url, { retryDelays: WAITS }).catch(() => {});
}

/** Lets go of a file that is not needed any more. */
export function forget(key: string): void {
  const one = own.get(key);
  if (!one) return;
  own.delete(key);
  URL.revokeObjectURL(one.play);
  for (const listener of listeners) listener();
}

// Whoever was without a network wants to go on when it is back.
window.addEventListener("online", () => {
  for (const [key, one] of own) if (one.transfer.state === "failed" || one.transfer.state === "waiting") retry(key);
});

/** Tries at once what waits or failed. */
export function retry(key: string): void {
  const one = own.get(key);
  if (!one) return;
  void one.upload.abort().then(() => {
    show(key, { state: "paused" });
    resume(key);
  });
}
