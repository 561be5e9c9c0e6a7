// The transcript with everything around it: where there is none, why, and what to do; and one that is being made.
import { useState } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/session";
import type { Montage } from "../../api/types";
import { Button } from "../../ui/button";
import { Failure, Skeleton } from "../../ui/states";
import { useCues, useTranscriptJob } from "./data";
import type { Playback } from "./player/playback";
import styles from "./speech.module.css";
import { TranscribeDialog } from "./transcribe";
import { Transcript } from "./transcript";

interface SpeechProps {
  montage: Montage;
  playback: Playback;
  /** What is searched for at first. */
  words: string;
}

export function Speech({ montage, playback, words }: SpeechProps) {
  const mayWrite = useMay("write");
  const [asking, setAsking] = useState(false);
  const job = useTranscriptJob(montage.id);
  const { transcript } = montage;
  const has = montage.transcript_state === "complete";
  const cues = useCues(montage.id, has);
  // A replay is told by its events: there is nothing to transcribe.
  const button = mayWrite && !job && !montage.replay && (
    <Button look={has ? "quiet" : "plain"} small icon="captions" onClick={() => setAsking(true)}>
      {montage.transcript_state === "none" ? "Transcribe" : "Transcribe again"}
    </Button>
  );
  const engine = [transcript.model ?? (transcript.engine === "none" ? null : transcript.engine), transcript.language]
    .filter(Boolean)
    .join(", ");
  return (
    <div className={styles.speech}>
      {job && (
        <p className={styles.made} role="status">
          A new transcript is being made. <Link href={`/jobs/${job.id}`}>Look at the job</Link>
        </p>
      )}
      {!has ? (
        <div className={styles.none}>
          <p>{job ? "There is no transcript yet." : whyNone(montage)}</p>
          {button}
        </div>
      ) : cues.isPending ? (
        <Skeleton lines={8} />
      ) : !cues.data ? (
        <Failure error={cues.error} again={() => void cues.refetch()} />
      ) : cues.data.length === 0 ? (
        <div className={styles.none}>
          <p>
            {montage.replay
              ? "Nothing happened that would be worth telling: no miss, no break."
              : "Nobody says anything in this montage, as far as the engine heard."}
          </p>
          {button}
        </div>
      ) : (
        <>
          <div className={styles.list}>
            <Transcript
              cues={cues.data}
              clips={montage.clips}
              playback={playback}
              language={transcript.language}
              words={words}
            />
          </div>
          <div className={styles.foot}>
            <span className="soft small">{montage.replay ? "Told by the play itself" : engine && `By ${engine}`}</span>
            {button}
          </div>
        </>
      )}
      {asking && <TranscribeDialog montage={montage} close={() => setAsking(false)} />}
    </div>
  );
}

/** Why there is no transcript. Pure. */
export function whyNone(montage: Pick<Montage, "transcript" | "transcript_state">): string {
  if (montage.transcript_state === "none") return "There is no transcript: none was asked for.";
  const reason = montage.transcript.reason?.trim();
  return reason ? `There is no transcript. ${reason.replace(/\.?$/, ".")}` : "The transcript could not be made.";
}
