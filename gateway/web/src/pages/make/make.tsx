// Making a montage, on one page: sources, moments, their order, how it is made, what it takes. What is put together stays in the browser.
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { useMay } from "../../api/session";
import { count } from "../../lib/format";
import { Button, ButtonLink } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { PageHead } from "../../ui/page";
import { Empty } from "../../ui/states";
import { useToasts } from "../../ui/toast";
import { useBeginning } from "./begin";
import { Clips } from "./clips/clips";
import { emptyDraft, isEmpty } from "./draft/model";
import { postingOf } from "./draft/spec";
import { dispatch, getDraft, useDraft, useIsKept } from "./draft/store";
import styles from "./make.module.css";
import { type Found, joined, MistakesProvider } from "./mistakes";
import { Moments, type Playing } from "./moments/moments";
import { Options } from "./options/options";
import { PlanStep } from "./plan/plan";
import { usePlan } from "./plan/use-plan";
import { useSending } from "./plan/use-sending";
import { AddSource } from "./sources/add";
import { DropArea } from "./sources/drop";
import { Facts } from "./sources/facts";
import { SourceCard } from "./sources/source-card";
import sourceStyles from "./sources/sources.module.css";
import { pause } from "./sources/uploads";
import { Step } from "./step";

const ImportDialog = lazy(() => import("./import/import-dialog"));

export default function Make() {
  const mayWrite = useMay("write");
  const mayAll = useMay("admin");
  if (!mayWrite && !mayAll) {
    return (
      <>
        <PageHead title="Make a montage" />
        <Empty
          title="This key may not make montages"
          action={
            <ButtonLink href="/" look="plain">
              To the library
            </ButtonLink>
          }
        >
          Sign out, and come back with a key that has the scope write. An operator makes keys on the page Operations.
        </Empty>
      </>
    );
  }
  return (
    <Facts>
      <Workshop />
    </Facts>
  );
}

function Workshop() {
  useBeginning();
  const sources = useDraft((draft) => draft.sources);
  const clips = useDraft((draft) => draft.clips);
  const options = useDraft((draft) => draft.options);
  const isKept = useIsKept();
  // biome-ignore lint/correctness/useExhaustiveDependencies: these three are all of the draft that is posted
  const posting = useMemo(() => postingOf(getDraft()), [sources, clips, options]);
  const planned = usePlan(posting);
  const sending = useSending(posting);
  const mistakes = useMistakesOf([posting, planned.found, sending.found]);
  const [importing, setImporting] = useState<{ file: File | null } | null>(null);
  const [playing, setPlaying] = useState<Playing | null>(null);
  const importText = useCallback(() => setImporting({ file: null }), []);
  const importFile = useCallback((file: File) => setImporting({ file }), []);
  const play = useCallback((next: Playing) => {
    const clip = getDraft().clips.find((one) => one.key === next.clip);
    if (!clip) return;
    dispatch({ type: "look-at", source: clip.source });
    document.getElementById("moments")?.scrollIntoView({ block: "start" });
    setPlaying(next);
  }, []);
  const ended = useCallback(() => {
    setPlaying((now) => {
      if (!now?.all) return null;
      const all = getDraft().clips;
      const next = all[all.findIndex((clip) => clip.key === now.clip) + 1];
      if (!next) return null;
      dispatch({ type: "look-at", source: next.source });
      return { clip: next.key, all: true };
    });
  }, []);
  return (
    <MistakesProvider value={mistakes}>
      <PageHead
        title="Make a montage"
        below="Add videos, mark their best moments, put them in order: the rest has sane defaults. What you do here is kept in this browser."
        actions={
          <>
            <ButtonLink href="/make/replay" look="plain" icon="play">
              Replay video
            </ButtonLink>
            <StartOver />
          </>
        }
      />
      {!isKept && (
        <p role="alert" className={styles.notKept}>
          <Icon name="warning" /> This browser does not keep the draft: it is lost when you leave the page.
        </p>
      )}
      <Overview planned={planned.plan !== null} />
      <div className={styles.steps}>
        <div className={styles.column}>
          <Step id="sources" number={1} title="Add sources">
            {sources.length === 0 && (
              <p>
                A source is a recording that you cut from: a link to a video, a file of yours, or a montage of the
                library. Nothing is changed in it.
              </p>
            )}
            <AddSource />
            {sources.length > 0 && (
              <ul className={sourceStyles.list}>
                {sources.map((source) => (
                  <SourceCard key={source.key} source={source} />
                ))}
              </ul>
            )}
          </Step>
          <Moments playing={playing} ended={ended} />
        </div>
        <div className={styles.column}>
          <Clips play={play} importList={importText} />
          <Options />
        </div>
        <PlanStep posting={posting} planned={planned} sending={sending} />
      </div>
      <DropArea importList={importFile} />
      {importing && (
        <Suspense>
          <ImportDialog file={importing.file} close={() => setImporting(null)} />
        </Suspense>
      )}
    </MistakesProvider>
  );
}

/** The same mistakes stay the same thing, so that hundreds of clips are not drawn anew for every letter that is typed. */
function useMistakesOf(all: (Found | null)[]) {
  const found = all.filter((one) => one !== null).map(({ mistakes, clips }) => ({ mistakes, clips }));
  const text = JSON.stringify(found.filter((one) => one.mistakes.length > 0));
  return useMemo(() => joined(JSON.parse(text) as Found[]), [text]);
}

/** The steps at a glance, with the way to each. */
function Overview({ planned }: { planned: boolean }) {
  const sources = useDraft((draft) => draft.sources.length);
  const clips = useDraft((draft) => draft.clips.length);
  const steps = [
    { id: "sources", name: "Sources", state: sources > 0 ? count(sources, "source") : "Begin here", done: sources > 0 },
    { id: "moments", name: "Moments", state: clips > 0 ? "Marked" : "", done: clips > 0 },
    { id: "clips", name: "Order", state: clips > 0 ? count(clips, "clip") : "", done: clips > 0 },
    { id: "options", name: "Options", state: "Optional", done: clips > 0 },
    { id: "plan", name: "Make", state: planned ? "Planned" : "", done: planned },
  ];
  return (
    <nav aria-label="Steps">
      <ol className={styles.overview}>
        {steps.map((step, index) => (
          <li key={step.id}>
            <a href={`#${step.id}`} className={step.done ? styles.done : undefined}>
              <span className={styles.number} aria-hidden="true">
                {step.done ? <Icon name="check" size="1em" /> : index + 1}
              </span>
              <span>
                {step.name}
                <span className={styles.state}>{step.state}</span>
              </span>
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function StartOver() {
  const { say } = useToasts();
  const isNew = useDraft((draft) => isEmpty(draft) && draft.options.title === "");
  if (isNew) return null;
  return (
    <Button
      look="plain"
      icon="again"
      onClick={() => {
        const before = getDraft();
        for (const source of before.sources) if (!source.ref) pause(source.key);
        dispatch({ type: "replace", draft: emptyDraft() });
        say("The draft is put away.", { label: "Undo", run: () => dispatch({ type: "replace", draft: before }) });
      }}
    >
      Start over
    </Button>
  );
}
