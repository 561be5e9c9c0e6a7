// What was played in a replay, and whether the video shows just that.
import type { components } from "../../api/schema";
import { moment } from "../../lib/format";
import { Icon } from "../../ui/icon";
import styles from "./play.module.css";
import { countsOf, differenceWords, factsOf, playName, verdictOf } from "./play-words";

type ReplayReport = components["schemas"]["ReplayReport"];

export function Play({ report }: { report: ReplayReport }) {
  const { verification } = report;
  return (
    <div className={styles.play}>
      <p className={styles.name} dir="auto">
        {playName(report)}
        {report.mods.map((name) => (
          <span key={name} className={styles.mod}>
            {name}
          </span>
        ))}
      </p>
      <p className="soft small">
        Mapped by <span dir="auto">{report.creator}</span>
        {report.played_at && (
          <>
            {" · "}played <time dateTime={report.played_at}>{moment(report.played_at)}</time>
          </>
        )}
        {" · "}
        {report.lazer ? "osu!(lazer)" : "osu!(stable)"}
      </p>
      <section className={verification.verified ? styles.good : styles.warn} aria-label="Verification">
        <p>
          <Icon name={verification.verified ? "check" : "warning"} /> <strong>{verdictOf(verification)}</strong>
        </p>
        {verification.differences.length > 0 && (
          <ul>
            {verification.differences.map((difference) => (
              <li key={difference.name}>{differenceWords(difference)}</li>
            ))}
          </ul>
        )}
      </section>
      <dl className={styles.facts}>
        {factsOf(report).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="numbers">{value}</dd>
          </div>
        ))}
      </dl>
      <dl className={styles.facts} aria-label="Results">
        {countsOf(report).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="numbers">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
