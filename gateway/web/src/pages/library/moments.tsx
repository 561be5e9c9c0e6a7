// The single moments that a search found: what was said or shown, where, and the way to that very second.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { api, ask } from "../../api/client";
import { keys } from "../../api/queries";
import type { SearchHit } from "../../api/types";
import { clock } from "../../lib/format";
import { Marked } from "../../lib/marked";
import styles from "./moments.module.css";

const MOST = 8;

export function Moments({ words }: { words: string }) {
  const hits = useQuery({
    queryKey: [...keys.search, words],
    queryFn: ({ signal }) => ask(api.GET("/v1/search", { params: { query: { q: words, limit: MOST } }, signal })),
  });
  // Titles are in the grid below.
  const moments = (hits.data?.items ?? []).filter((hit) => hit.kind !== "montage");
  if (moments.length === 0) return null;
  return (
    <section className={styles.moments} aria-labelledby="moments">
      <h2 id="moments">Moments</h2>
      <ul className={styles.list}>
        {moments.map((hit) => (
          <li key={`${hit.montage_id} ${hit.kind} ${hit.start} ${hit.clip}`}>
            <Moment hit={hit} words={words} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Moment({ hit, words }: { hit: SearchHit; words: string }) {
  const parameters = new URLSearchParams({ t: String(Math.floor(hit.start * 10) / 10), q: words });
  const where = [hit.title, hit.kind === "cue" ? hit.clip_title : null, hit.streamer].filter(Boolean).join(" · ");
  return (
    <Link href={`/m/${hit.montage_id}?${parameters}`} className={styles.moment}>
      <span className={styles.time}>{clock(hit.start)}</span>
      <span>
        <span className={styles.text}>
          {hit.kind === "cue" ? "“" : ""}
          <Marked html={hit.matched} />
          {hit.kind === "cue" ? "”" : ""}
        </span>
        <span className={styles.where}>{where}</span>
      </span>
    </Link>
  );
}
