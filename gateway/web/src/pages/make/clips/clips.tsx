// The third step: the clips, in the order in which they will stand.
//
// Moved by dragging, by keyboard (Space takes a clip up, arrows move it, Space puts it down) and by buttons; every move is said.
import {
  type Announcements,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  type Modifier,
  PointerSensor,
  useSensor,
  useSensors,
} from "@dnd-kit/core";
import { SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { memo, useCallback, useMemo, useState } from "react";
import { count, spokenLength } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { useToasts } from "../../../ui/toast";
import { newKey } from "../draft/model";
import { dispatch, getDraft, useDraft } from "../draft/store";
import { useMistakes } from "../mistakes";
import type { Playing } from "../moments/moments";
import { useFacts } from "../sources/facts";
import { Step } from "../step";
import { readSpan, timeText } from "../time";
import { ClipRow } from "./clip-row";
import styles from "./clips.module.css";

const upAndDownOnly: Modifier = ({ transform }) => ({ ...transform, x: 0 });

const placeOf = (key: string | number | undefined): number => getDraft().clips.findIndex((clip) => clip.key === key);
const nameOf = (key: string | number): string => {
  const at = placeOf(key);
  return getDraft().clips[at]?.title || `Clip ${at + 1}`;
};

/** The place that was said last, so that taking a clip up is not drowned by the place that it is at anyway. */
let saidPlace = -1;

const announcements: Announcements = {
  onDragStart: ({ active }) => {
    saidPlace = placeOf(active.id);
    return `${nameOf(active.id)} is taken up. It is at place ${saidPlace + 1} of ${getDraft().clips.length}.`;
  },
  onDragOver: ({ active, over }) => {
    const place = placeOf(over?.id);
    if (place < 0 || place === saidPlace) return undefined;
    saidPlace = place;
    return `${nameOf(active.id)} is at place ${place + 1} of ${getDraft().clips.length}.`;
  },
  onDragEnd: ({ active, over }) => (over ? `${nameOf(active.id)} is put down.` : "It is back where it was."),
  onDragCancel: ({ active }) => `${nameOf(active.id)} is back where it was.`,
};

const instructions = {
  draggable:
    "Press Space to take the clip up, the arrow keys to move it, Space again to put it down, Escape to leave it where it was.",
};

/** From here on a list is long. */
const MANY = 60;

interface ClipsProps {
  play: (playing: Playing) => void;
  importList: () => void;
}

/** Drawn anew for what is about clips only: there may be hundreds of them. */
export const Clips = memo(function Clips({ play, importList }: ClipsProps) {
  const clips = useDraft((draft) => draft.clips);
  const sources = useDraft((draft) => draft.sources);
  const editing = useDraft((draft) => draft.form.editing);
  const byScore = useDraft((draft) => draft.options.order === "score");
  const facts = useFacts();
  const { say } = useToasts();
  const { at } = useMistakes();
  const [said, setSaid] = useState("");
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const names = useMemo(() => new Map(sources.map((source) => [source.key, source.name])), [sources]);
  const lengths = clips.map((clip) => readSpan(clip.start, clip.end, facts.get(clip.source)?.rate ?? null).length);
  const total = lengths.reduce<number>((sum, length) => sum + (length ?? 0), 0);
  const known = lengths.every((length) => length !== null);
  const move = useCallback((from: number, to: number) => {
    const clip = getDraft().clips[from];
    dispatch({ type: "move-clip", from, to });
    if (clip) setSaid(`${nameOf(clip.key)} is at place ${placeOf(clip.key) + 1} of ${getDraft().clips.length}.`);
  }, []);
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    if (over) dispatch({ type: "move-clip", from: placeOf(active.id), to: placeOf(over.id) });
  };
  const remove = useCallback(
    (key: string) => {
      const index = placeOf(key);
      const clip = getDraft().clips[index];
      if (!clip) return;
      const name = nameOf(key);
      dispatch({ type: "remove-clip", key });
      // Whoever removes by keyboard goes on with the next one.
      const next = getDraft().clips[Math.min(index, getDraft().clips.length - 1)];
      requestAnimationFrame(() =>
        document.getElementById(next ? `remove-${next.key}` : "clips")?.focus({ preventScroll: true }),
      );
      say(`${name} removed.`, {
        label: "Undo",
        run: () => dispatch({ type: "put-back", sources: [], clips: [{ at: index, item: clip }] }),
      });
    },
    [say],
  );
  const copy = useCallback((key: string) => dispatch({ type: "copy-clip", key, as: newKey() }), []);
  const edit = useCallback((key: string) => {
    dispatch({ type: "edit-clip", key });
    document.getElementById("moments")?.focus();
  }, []);
  const playOne = useCallback((key: string) => play({ clip: key, all: false }), [play]);
  const keys = useMemo(() => clips.map((clip) => clip.key), [clips]);
  const mistake = at("/spec/highlights");
  return (
    <Step
      id="clips"
      number={3}
      title="Put them in order"
      beside={
        <div className={styles.tools}>
          {clips[0] && (
            <Button look="plain" small icon="play" onClick={() => clips[0] && play({ clip: clips[0].key, all: true })}>
              Play all
            </Button>
          )}
          <Button look="plain" small icon="download" onClick={importList}>
            Import a list
          </Button>
        </div>
      }
    >
      {mistake && <p className={styles.mistake}>{mistake}</p>}
      {clips.length === 0 ? (
        <p className="soft">
          No clips yet. Mark a moment in the player and add it, or import a list of moments: a table (CSV), an edit list
          (EDL), an OpenTimelineIO file, or the chapters of a video.
        </p>
      ) : (
        <>
          <p className="soft numbers">
            <span aria-hidden="true">
              {count(clips.length, "clip")}, {timeText(total)} in all{known ? "" : " and more"}
            </span>
            <span className="hidden-text">
              {count(clips.length, "clip")}, {spokenLength(total)} in all{known ? "" : " and more"}
            </span>
            {byScore && ". They will stand by their scores: the order here only counts between equal ones."}
          </p>
          <DndContext
            sensors={sensors}
            collisionDetection={closestCenter}
            modifiers={[upAndDownOnly]}
            accessibility={{ announcements, screenReaderInstructions: instructions }}
            onDragEnd={onDragEnd}
          >
            <SortableContext items={keys} strategy={verticalListSortingStrategy}>
              <ol className={clips.length > MANY ? `${styles.list} ${styles.many}` : styles.list}>
                {clips.map((clip, index) => (
                  <ClipRow
                    key={clip.key}
                    clip={clip}
                    index={index}
                    isLast={index === clips.length - 1}
                    source={names.get(clip.source) ?? ""}
                    rate={facts.get(clip.source)?.rate ?? null}
                    isEdited={clip.key === editing}
                    move={move}
                    play={playOne}
                    edit={edit}
                    copy={copy}
                    remove={remove}
                  />
                ))}
              </ol>
            </SortableContext>
          </DndContext>
        </>
      )}
      <p role="status" className="hidden-text">
        {said}
      </p>
    </Step>
  );
});
