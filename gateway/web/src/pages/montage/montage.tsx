// One montage: played, read, searched, explained, taken along.
//
// Promises: an address with `t` begins at that second, one with `q` shows where these words are said; what is not known yet has its place
// already, so that nothing moves when it comes.
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { Problem } from "../../api/client";
import { useMay } from "../../api/session";
import type { Montage } from "../../api/types";
import { copyText } from "../../lib/copy";
import { age, bytes, clock, count, moment, spokenLength } from "../../lib/format";
import { Button, ButtonLink } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Labels } from "../../ui/labels";
import { Failure, Skeleton } from "../../ui/states";
import { type Tab, Tabs } from "../../ui/tabs";
import { useToasts } from "../../ui/toast";
import { Clips } from "./clips";
import { useDelete, useMontage, useProvenance, useRestore } from "./data";
import { Files } from "./files";
import { Gone } from "./gone";
import { LabelEditor } from "./label-editor";
import styles from "./montage.module.css";
import { Play } from "./play";
import { Playback } from "./player/playback";
import { Player } from "./player/player";
import { linkTime, rateOf, timeOf } from "./player/rate";
import { Made } from "./provenance";
import { isSilent } from "./provenance-words";
import { Speech } from "./speech";
import { Title } from "./title";
import { useWide } from "./wide";

export default function MontagePage({ id }: { id: string }) {
  const query = useMontage(id);
  const deletion = useDeletion(id);
  const gone = query.error instanceof Problem && (query.error.status === 404 || query.error.code === "invalid_path");
  if (query.isPending || deletion.done) return <Waiting />;
  // Also where it was here a moment ago.
  if (gone) return <Gone id={id} />;
  if (!query.data) {
    return (
      <>
        <h1 className="hidden-text">Montage</h1>
        <Failure error={query.error} again={() => void query.refetch()} />
      </>
    );
  }
  return <Shown montage={query.data.montage} erase={deletion.erase} erasing={deletion.busy} />;
}

function Shown({ montage, erase, erasing }: { montage: Montage; erase: () => void; erasing: boolean }) {
  const [playback] = useState(() => new Playback());
  const parameters = new URLSearchParams(useSearch());
  const start = timeOf(parameters.get("t"));
  const words = parameters.get("q") ?? "";
  const wide = useWide();
  const provenance = useProvenance(montage.id, true);
  const { copy, copyLink, copyChapters } = useCopies(montage);
  useEffect(() => {
    if (start !== null) playback.seek(Math.min(start, Math.max(0, montage.duration - 0.05)));
  }, [playback, start, montage.duration]);
  const captions = useMemo(
    () =>
      montage.transcript_state === "complete" && montage.links.captions
        ? {
            src: montage.links.captions,
            language: montage.transcript.language ?? undefined,
            version: montage.updated_at,
          }
        : undefined,
    [montage],
  );
  const pictures = useMemo(
    () => (montage.links.sprites ? { sprites: montage.sprites, address: montage.links.sprites } : undefined),
    [montage],
  );
  const { media } = montage;

  const speech = <Speech montage={montage} playback={playback} words={words} />;
  const tabs: (Tab & { page: ReactNode })[] = [
    {
      id: "highlights",
      name: montage.replay ? "Chapters" : "Highlights",
      note: montage.clips.length,
      page: <Clips montage={montage} playback={playback} copyLink={copyLink} copy={copy} />,
    },
    {
      id: "made",
      name: "How it was made",
      page: provenance.data ? (
        <Made montage={montage} record={provenance.data} />
      ) : provenance.isPending ? (
        <Skeleton lines={6} />
      ) : (
        <Failure error={provenance.error} again={() => void provenance.refetch()} />
      ),
    },
    { id: "files", name: "Download", page: <Files montage={montage} copyChapters={copyChapters} /> },
  ];
  if (montage.replay) tabs.unshift({ id: "play", name: "The play", page: <Play report={montage.replay} /> });
  const told = montage.replay ? "What happens" : "Transcript";
  if (!wide) tabs.unshift({ id: "transcript", name: told, page: <div className={styles.narrow}>{speech}</div> });
  const [chosen, choose] = useState("");
  const tab = tabs.find(({ id }) => id === chosen) ?? tabs[0];

  return (
    <div className={styles.page}>
      <div className={styles.main}>
        <Player
          playback={playback}
          src={montage.links.media ?? `/v1/montages/${montage.id}/media`}
          title={montage.title}
          poster={montage.links.poster}
          width={media.width}
          height={media.height}
          duration={media.duration}
          rate={rateOf(media.frame_rate)}
          chapters={montage.clips}
          pictures={pictures}
          captions={captions}
          silent={provenance.data ? isSilent(provenance.data) : false}
          copyLink={copyLink}
        />
        <Head montage={montage} erase={erase} erasing={erasing} />
        {tab && (
          <div>
            <Tabs label="About this montage" tabs={tabs} chosen={tab.id} choose={choose}>
              <h2 className="hidden-text">{tab.name}</h2>
              {tab.page}
            </Tabs>
          </div>
        )}
      </div>
      {wide && (
        <aside className={`card ${styles.side}`} aria-labelledby="transcript">
          <h2 id="transcript">{told}</h2>
          <div className={styles.sideRoom}>{speech}</div>
        </aside>
      )}
    </div>
  );
}

interface HeadProps {
  montage: Montage;
  erase: () => void;
  erasing: boolean;
}

function Head({ montage, erase, erasing }: HeadProps) {
  const mayWrite = useMay("write");
  const [labelling, setLabelling] = useState(false);
  const { media } = montage;
  const rate = rateOf(media.frame_rate);
  const hasLabels = Object.keys(montage.labels).length > 0;
  return (
    <header className={styles.head}>
      <Title id={montage.id} title={montage.title} />
      <p className={styles.facts}>
        {montage.streamers.map((streamer) => (
          <span key={streamer}>
            <Link href={`/?${new URLSearchParams({ streamer })}`} dir="auto">
              {streamer}
            </Link>
            {" · "}
          </span>
        ))}
        <time dateTime={montage.created_at} title={moment(montage.created_at)}>
          {age(montage.created_at)}
        </time>
        {" · "}
        <span aria-hidden="true">{clock(montage.duration)}</span>
        <span className="hidden-text">{spokenLength(montage.duration)} long</span>
        {" · "}
        {media.width} × {media.height}
        {rate && `, ${Number((rate.num / rate.den).toFixed(2))} frames a second`}
        {" · "}
        {count(montage.clips.length, montage.replay ? "chapter" : "highlight")}
        {" · "}
        <Link href={`/jobs/${montage.job_id}`}>the job that made it</Link>
      </p>
      {(hasLabels || mayWrite) && (
        <div className={styles.labels}>
          <Labels
            labels={montage.labels}
            to={(name, value) => `/?${new URLSearchParams({ label: `${name}:${value}` })}`}
          />
          {mayWrite && (
            <Button look="quiet" small icon={hasLabels ? "edit" : "make"} onClick={() => setLabelling(true)}>
              {hasLabels ? "Edit labels" : "Add labels"}
            </Button>
          )}
        </div>
      )}
      <div className={styles.actions}>
        <a className={styles.download} href={`${montage.links.media}?download=1`} download>
          <Icon name="download" />
          Download, {bytes(media.bytes)}
        </a>
        {mayWrite && (
          <>
            {!montage.replay && (
              <ButtonLink look="plain" icon="edit" href={`/make?from=${montage.job_id}`}>
                Edit as a new montage
              </ButtonLink>
            )}
            <Button look="danger" icon="trash" busy={erasing} onClick={erase}>
              Delete
            </Button>
          </>
        )}
      </div>
      {labelling && <LabelEditor montage={montage} close={() => setLabelling(false)} />}
    </header>
  );
}

/** Deletes the montage, goes to the library, and offers to take it back there. */
function useDeletion(id: string) {
  const [, go] = useLocation();
  const toasts = useToasts();
  const erase = useDelete(id);
  const restore = useRestore(id);
  // Pressed when this page is gone: only promises outlive it.
  const back = () =>
    void restore
      .mutateAsync()
      .then(({ title }) =>
        toasts.say(`“${title}” is back in the library`, { label: "Open", run: () => go(`/m/${id}`) }),
      )
      .catch(toasts.complain);
  return {
    done: erase.isSuccess,
    busy: erase.isPending,
    erase: () =>
      erase.mutate(undefined, {
        onSuccess: () => {
          go("/");
          toasts.say("The montage is deleted", { label: "Undo", run: back });
        },
        onError: toasts.complain,
      }),
  };
}

/** What can be put on the clipboard; each says what it was, or why it could not. */
function useCopies(montage: Montage) {
  const toasts = useToasts();
  const copy = useCallback(
    async (text: string, what: string) => {
      if (await copyText(text)) toasts.say(`${what} is copied`);
      else toasts.complain(`The browser does not let the page copy. ${what}: ${text}`);
    },
    [toasts],
  );
  const copyLink = (seconds: number) =>
    void copy(`${location.origin}/m/${montage.id}?t=${linkTime(seconds)}`, `A link to ${clock(seconds)}`);
  const copyChapters = () => {
    fetch(montage.links.chapters ?? `/v1/montages/${montage.id}/chapters.txt`)
      .then((response) => (response.ok ? response.text() : Promise.reject(new Error("The chapters cannot be read."))))
      .then((text) => copy(text, "The list of chapters"))
      .catch(toasts.complain);
  };
  return { copy: (text: string, what: string) => void copy(text, what), copyLink, copyChapters };
}

/** The places of everything, before it is known. */
function Waiting() {
  return (
    <div className={styles.page} aria-busy="true">
      <h1 className="hidden-text">Montage</h1>
      <p className="hidden-text" role="status">
        Loading the montage…
      </p>
      <div className={styles.main}>
        <div className={styles.stage} />
        <div className={styles.head}>
          <Skeleton lines={3} />
        </div>
      </div>
      <div className={`card ${styles.side}`}>
        <Skeleton lines={10} />
      </div>
    </div>
  );
}
