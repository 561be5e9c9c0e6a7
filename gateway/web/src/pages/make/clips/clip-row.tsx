// One clip of the list.
import { useSortable } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { memo } from "react";
import { Button } from "../../../ui/button";
import { Icon } from "../../../ui/icon";
import type { DraftClip } from "../draft/model";
import { useMistakes } from "../mistakes";
import { CUTS } from "../options/words";
import { readSpan, shownTime, timeText } from "../time";
import styles from "./clips.module.css";

interface ClipRowProps {
  clip: DraftClip;
  index: number;
  isLast: boolean;
  /** The name of its source. */
  source: string;
  /** Frames in a second of its source. */
  rate: number | null;
  isEdited: boolean;
  move: (from: number, to: number) => void;
  play: (key: string) => void;
  edit: (key: string) => void;
  copy: (key: string) => void;
  remove: (key: string) => void;
}

export const ClipRow = memo(function ClipRow(props: ClipRowProps) {
  const { clip, index, isLast, source, rate, isEdited, move } = props;
  const { key } = clip;
  const sortable = useSortable({ id: key });
  const mistake = useMistakes().ofClip(key)();
  const span = readSpan(clip.start, clip.end, rate);
  const name = clip.title || `Clip ${index + 1}`;
  const cut = CUTS.find((one) => one.value === clip.cut)?.name;
  const classes = [styles.row, sortable.isDragging && styles.taken, isEdited && styles.edited].filter(Boolean);
  return (
    <li
      ref={sortable.setNodeRef}
      className={classes.join(" ")}
      style={{ transform: CSS.Translate.toString(sortable.transform), transition: sortable.transition }}
    >
      <button
        type="button"
        ref={sortable.setActivatorNodeRef}
        className={styles.grip}
        {...sortable.attributes}
        {...sortable.listeners}
        aria-label={`${index + 1}. Move ${name}`}
      >
        <Icon name="drag" />
        <span className="numbers" aria-hidden="true">
          {index + 1}
        </span>
      </button>
      <div className={styles.words}>
        <h3 className={styles.name}>{name}</h3>
        <p className="small numbers">
          {shownTime(clip.start)} –{" "}
          {clip.end.startsWith("+") && span.endSeconds !== null ? timeText(span.endSeconds) : shownTime(clip.end)}
          {span.length !== null && <span className="soft"> · {timeText(span.length)} long</span>}
        </p>
        <p className="soft small">
          {[source, clip.streamer, clip.score && `score ${clip.score}`, cut && `cut: ${cut.toLowerCase()}`]
            .filter(Boolean)
            .join(" · ")}
        </p>
        {mistake && <p className={styles.mistake}>{mistake}</p>}
      </div>
      <div className={styles.buttons}>
        <Button look="quiet" small icon="play" label={`Play ${name}`} onClick={() => props.play(key)} />
        <Button
          look="quiet"
          small
          icon="up"
          label={`Move ${name} up`}
          aria-disabled={index === 0}
          onClick={() => move(index, index - 1)}
        />
        <Button
          look="quiet"
          small
          icon="down"
          label={`Move ${name} down`}
          aria-disabled={isLast}
          onClick={() => move(index, index + 1)}
        />
        <Button look="quiet" small icon="edit" label={`Change ${name}`} onClick={() => props.edit(key)} />
        <Button look="quiet" small icon="copy" label={`Duplicate ${name}`} onClick={() => props.copy(key)} />
        <Button
          look="quiet"
          small
          icon="trash"
          id={`remove-${key}`}
          label={`Remove ${name}`}
          onClick={() => props.remove(key)}
        />
      </div>
    </li>
  );
});
