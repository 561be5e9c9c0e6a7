// What can be downloaded of a montage, and for whom it is.
import type { Montage } from "../../api/types";
import { bytes } from "../../lib/format";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import styles from "./files.module.css";

interface File {
  name: string;
  what: string;
  href: string;
}

interface Group {
  title: string;
  files: File[];
}

/** What there is, by what it is for. Pure. */
export function filesOf(montage: Montage): Group[] {
  const { links, media } = montage;
  const self = links.self ?? `/v1/montages/${montage.id}`;
  const file = (name: string, what: string, path: string) => ({ name, what, href: `${path}?download=1` });
  const picture: File[] = links.poster ? [file("JPEG", "The picture that stands for it", links.poster)] : [];
  const video: Group = {
    title: "Video",
    files: [file("MP4", `The video, ${bytes(media.bytes)}, with chapters`, links.media ?? `${self}/media`), ...picture],
  };
  const captions: Group = {
    title: "Captions and transcript",
    files: [
      file("WebVTT", "Captions for browsers and YouTube", `${self}/captions.vtt`),
      file("SRT", "Captions for players and editors", `${self}/captions.srt`),
      file("Text", "What is said, without times", `${self}/captions.txt`),
      file("JSON", "Every word with its times, for scripts", `${self}/captions.json`),
    ],
  };
  const cut: Group = {
    title: "Chapters and cut",
    files: [
      file("Chapters", "For the description of a YouTube video", links.chapters ?? `${self}/chapters.txt`),
      file("EDL", "The cut over the sources, for DaVinci Resolve, Premiere Pro and Avid", `${self}/timeline.edl`),
      file("OTIO", "The cut over the sources, as OpenTimelineIO", `${self}/timeline.otio`),
    ],
  };
  return montage.transcript_state === "complete" ? [video, captions, cut] : [video, cut];
}

/** What YouTube asks of chapters: at least this many, each at least this long, in seconds. */
const [FEWEST, SHORTEST] = [3, 10];

/** Why YouTube would not show the chapters; null where it would. Pure. */
export function chaptersWarning(clips: Montage["clips"]): string | null {
  if (clips.length < FEWEST) return `YouTube shows chapters from ${FEWEST} on; here are fewer.`;
  const short = clips.filter((clip) => clip.duration < SHORTEST).length;
  if (short === 0) return null;
  return `YouTube shows chapters only where each is ${SHORTEST} s or longer; ${short} of these ${short === 1 ? "is" : "are"} shorter.`;
}

interface FilesProps {
  montage: Montage;
  /** Copies the chapters, for a description. */
  copyChapters: () => void;
}

export function Files({ montage, copyChapters }: FilesProps) {
  const warning = chaptersWarning(montage.clips);
  return (
    <div className={styles.groups}>
      {filesOf(montage).map((group) => (
        <section key={group.title}>
          <h3>{group.title}</h3>
          <ul className={styles.list}>
            {group.files.map((file) => (
              <li key={file.name}>
                <a href={file.href} download className={styles.file}>
                  <Icon name="download" />
                  <span>
                    <strong>{file.name}</strong>
                    <span className={styles.what}>{file.what}</span>
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
      <section>
        <h3>For YouTube</h3>
        <p className="soft small">{warning ?? "Paste the chapters into the description of the video."}</p>
        <Button look="plain" small icon="copy" onClick={copyChapters} className={styles.copy}>
          Copy the chapters
        </Button>
      </section>
      {montage.transcript_state !== "complete" && (
        <p className="soft small">There are no captions to download, because there is no transcript.</p>
      )}
    </div>
  );
}
