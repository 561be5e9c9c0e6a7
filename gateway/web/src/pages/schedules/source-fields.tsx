// The fields of a source. A list at an address needs two of them; what other kinds and formats need comes with them.
import { Field } from "../../ui/field";
import { Fold } from "../../ui/fold";
import styles from "./editor.module.css";
import {
  ATTRIBUTES,
  FORMATS,
  formatOf,
  hasPages,
  KINDS,
  type Kind,
  SAID,
  type SourceForm,
  USUAL_DURATION,
} from "./source-form";
import { ChoiceSpot, isWrong, type Spots, TextSpot } from "./spot-fields";

interface SourceFieldsProps {
  form: SourceForm;
  change: (form: SourceForm) => void;
  mistakes: Record<string, string>;
}

export function SourceFields({ form, change, mistakes }: SourceFieldsProps) {
  const of: Spots = { at: "source", texts: form.texts, change: (texts) => change({ ...form, texts }), mistakes };
  const { kind } = form;
  return (
    <>
      <div className={styles.columns}>
        <Field label="The highlights are in">
          {(control) => (
            <select
              {...control}
              value={kind}
              onChange={(event) => change({ ...form, kind: event.target.value as Kind })}
            >
              {Object.entries(KINDS).map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        {kind === "dynamodb" || kind === "twitch" ? null : <PlaceField of={of} kind={kind} mistake={mistakes.source} />}
      </div>
      {kind === "dynamodb" ? (
        <TablesFields of={of} />
      ) : kind === "twitch" ? (
        <ClipsFields of={of} />
      ) : (
        <ListFields of={of} form={form} />
      )}
    </>
  );
}

/** How the place of a list is asked for. */
const ASKED = {
  url: { label: "Its address", placeholder: "https://…/highlights.json" },
  path: { label: "Its place", placeholder: "name:folder/highlights.json" },
  object: { label: "Its key", placeholder: "lists/highlights.json" },
};

function PlaceField({ of, kind, mistake }: { of: Spots; kind: "url" | "path" | "object"; mistake?: string }) {
  const { label, placeholder } = ASKED[kind];
  return (
    <Field
      label={label}
      mistake={mistake}
      help="It is read each time that the schedule runs. {from} and {to} in it become the days that are asked for."
    >
      {(control) => (
        <input
          {...control}
          required
          type={kind === "url" ? "url" : "text"}
          placeholder={placeholder}
          autoCapitalize="none"
          spellCheck={false}
          value={of.texts[kind] ?? ""}
          onChange={(event) => of.change({ ...of.texts, [kind]: event.target.value })}
        />
      )}
    </Field>
  );
}

/** What each format is, where its name does not say it. */
const FORMAT_HELP: Partial<Record<string, string>> = {
  highlights: "As a job’s spec has them: [{ source, start, duration, title, … }].",
  csv: "With a first line of names.",
  edl: "CMX 3600.",
  chapters: "A line each: a time and a title, as they stand below a video.",
};

function ListFields({ of, form }: { of: Spots; form: SourceForm }) {
  const format = formatOf(form);
  const has = (...formats: string[]) => formats.includes(format);
  const more = ["duration", "streamer", "paging"];
  return (
    <>
      <div className={styles.columns}>
        <ChoiceSpot of={of} spot="format" label="It is written as" values={FORMATS} help={FORMAT_HELP[format]} />
        {has("json") && (
          <TextSpot
            of={of}
            spot="mapping/rows"
            label="Where its rows are"
            placeholder="$[*]"
            maxLength={255}
            help="As a JSONPath, such as $.data[*]."
          />
        )}
        {has("edl") && (
          <>
            <TextSpot
              of={of}
              spot="frame_rate"
              label="Frames a second"
              placeholder="25"
              required
              maxLength={20}
              help="Such as 25, 29.97 or 30000/1001: an EDL does not say it."
            />
            <TextSpot
              of={of}
              spot="start_timecode"
              label="Timecode of a video’s first frame"
              placeholder="00:00:00:00"
              maxLength={20}
            />
          </>
        )}
        {has("chapters") ? (
          <TextSpot
            of={of}
            spot="video"
            label="Its video"
            placeholder="https://…/show.mp4"
            maxLength={2048}
            required
            help="An address, or a path of a media directory: chapters do not say it."
          />
        ) : (
          !has("highlights") && <VideoField of={of} spot="video" />
        )}
      </div>
      {has("json", "csv") && <MappingFields of={of} isJson={has("json")} />}
      <Fold title="What rows may leave out, and pages" wrong={isWrong(of, ...more)}>
        <div className={styles.columns}>
          {has("highlights", "json", "csv", "chapters") && (
            <TextSpot
              of={of}
              spot="duration"
              label="Length, if a row says none"
              placeholder="8s"
              help="Such as 8s or 1:30."
            />
          )}
          <TextSpot
            of={of}
            spot="streamer"
            label="Streamer, if a row says none"
            maxLength={100}
            autoCapitalize="words"
          />
          {hasPages(form) && (
            <>
              <TextSpot
                of={of}
                spot="paging/next"
                label="What leads to the next page"
                placeholder="$.next"
                maxLength={255}
                required={Boolean(of.texts["paging/parameter"])}
                help="A JSONPath to a cursor or an address. Empty for one page."
              />
              <TextSpot
                of={of}
                spot="paging/parameter"
                label="The parameter that sends a cursor"
                placeholder="cursor"
                maxLength={255}
                help="Empty if it is an address."
              />
            </>
          )}
        </div>
      </Fold>
    </>
  );
}

function VideoField({ of, spot, required = false }: { of: Spots; spot: string; required?: boolean }) {
  return (
    <TextSpot
      of={of}
      spot={spot}
      label="Where the videos are"
      placeholder="https://…/{id}.mp4"
      maxLength={2048}
      required={required}
      help={
        <>
          An address, or a path of a media directory such as <code>library:{"{id}"}.mkv</code>; {"{id}"} is what a row
          says.{!required && " Empty if rows say all of it."}
        </>
      }
    />
  );
}

function MappingFields({ of, isJson }: { of: Spots; isJson: boolean }) {
  const help = isJson
    ? "JSONPaths from a row. Write only those that are not as shown."
    : "Write only those that are not as shown.";
  return (
    <Fold title={isJson ? "Where in a row what is said" : "The names of the columns"} wrong={isWrong(of, "mapping")}>
      <p className="soft small">{help} A row says where its highlight ends, or how long it is.</p>
      <div className={styles.columns}>
        {Object.entries(SAID).map(([name, words]) => (
          <TextSpot
            key={name}
            of={of}
            spot={`mapping/${name}`}
            label={words}
            placeholder={isJson ? `$.${name}` : name}
            maxLength={255}
          />
        ))}
      </div>
    </Fold>
  );
}

/** How dates are written in tables, the usual form first. */
const DATE_FORMS = {
  day: "a day, such as 2026-11-22",
  timestamp: "a moment in UTC, such as 2026-11-22T18:30:00Z",
  seconds: "seconds since 1970",
  milliseconds: "milliseconds since 1970",
};

function TablesFields({ of }: { of: Spots }) {
  const inside = [...Object.keys(ATTRIBUTES), "dynamodb/highlights/date_form", "dynamodb/region"];
  return (
    <>
      <div className={styles.columns}>
        <TextSpot of={of} spot="dynamodb/streamers/table" label="Table of streamers" required maxLength={255} />
        <TextSpot of={of} spot="dynamodb/highlights/table" label="Table of highlights" required maxLength={255} />
        <VideoField of={of} spot="dynamodb/video" required />
        <TextSpot
          of={of}
          spot="dynamodb/duration"
          label="How long a highlight is"
          placeholder={USUAL_DURATION}
          help="Such as 45s or 1:30."
        />
      </div>
      <Fold title="The names of attributes, and the region" wrong={isWrong(of, ...inside)}>
        <p className="soft small">Write only those that are not as shown.</p>
        <div className={styles.columns}>
          {Object.entries(ATTRIBUTES).map(([spot, [label, usual]]) => (
            <TextSpot key={spot} of={of} spot={spot} label={label} placeholder={usual} maxLength={255} />
          ))}
          <ChoiceSpot of={of} spot="dynamodb/highlights/date_form" label="The date is written as" values={DATE_FORMS} />
          <TextSpot
            of={of}
            spot="dynamodb/region"
            label="Region"
            placeholder="that of the operator"
            maxLength={50}
            help="Of AWS, such as eu-central-1."
          />
        </div>
      </Fold>
    </>
  );
}

function ClipsFields({ of }: { of: Spots }) {
  return (
    <div className={styles.columns}>
      <TextSpot
        of={of}
        spot="twitch/channels"
        label="Channels"
        required
        placeholder="hana, mio"
        help="Their names as in their addresses, up to 100, with commas between them."
      />
      <ChoiceSpot
        of={of}
        spot="twitch/cut_from"
        label="What is cut from"
        values={{ clip: "the clips, whole", recording: "the recordings that they were made from" }}
        help="Recordings have what was around a clip, for padding; clips whose recording is gone are reported."
      />
    </div>
  );
}
