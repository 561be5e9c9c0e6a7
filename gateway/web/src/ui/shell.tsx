// The frame around every place: where one can go, search, what runs, and whether the server is still there.
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { api, ask } from "../api/client";
import { useLiveState } from "../api/jobs-live";
import { keys } from "../api/queries";
import { useMay, useSession, useSignOut } from "../api/session";
import { count } from "../lib/format";
import { useScrollMemory } from "../lib/scroll";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";
import styles from "./shell.module.css";

interface Place {
  href: string;
  name: string;
  icon: IconName;
  /** The key must allow writing. */
  writes?: boolean;
}

const PLACES: Place[] = [
  { href: "/", name: "Library", icon: "library" },
  { href: "/make", name: "Make", icon: "make", writes: true },
  { href: "/jobs", name: "Jobs", icon: "jobs" },
  { href: "/schedules", name: "Schedules", icon: "schedules" },
  { href: "/operations", name: "Operations", icon: "operations" },
];

export function Shell({ children }: { children: ReactNode }) {
  const main = useRef<HTMLElement>(null);
  const session = useSession();
  const signOut = useSignOut();
  // Whoever goes to another place by keyboard begins at its start.
  useScrollMemory(() => main.current?.focus({ preventScroll: true }));
  return (
    <>
      <a className={styles.skip} href="#main">
        Skip to the content
      </a>
      <header className={styles.bar}>
        <Link href="/" className={styles.brand}>
          <img src="/assets/icon.svg" alt="" width="28" height="28" />
          <span>Stream Montages</span>
        </Link>
        <Search />
        <Navigation />
        <div className={styles.end}>
          <Running />
          <a href="/docs" className={styles.docs}>
            API
          </a>
          {session.keys_needed && (
            <Button look="quiet" small onClick={signOut}>
              Sign out
            </Button>
          )}
        </div>
      </header>
      <Connection />
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        {children}
      </main>
    </>
  );
}

function Navigation() {
  const [path] = useLocation();
  const mayWrite = useMay("write");
  const isHere = (href: string) =>
    href === "/" ? path === "/" || path.startsWith("/m/") : path === href || path.startsWith(`${href}/`);
  return (
    <nav className={styles.places} aria-label="Places">
      <ul className={styles.list}>
        {PLACES.filter((place) => mayWrite || !place.writes).map((place) => (
          <li key={place.href}>
            <Link href={place.href} aria-current={isHere(place.href) ? "page" : undefined}>
              <Icon name={place.icon} />
              <span>{place.name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Searches the library from everywhere. */
function Search() {
  const [path, go] = useLocation();
  const search = useSearch();
  const asked = path === "/" ? (new URLSearchParams(search).get("q") ?? "") : "";
  const [words, setWords] = useState(asked);
  useEffect(() => setWords(asked), [asked]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parameters = new URLSearchParams(path === "/" ? search : "");
    if (words.trim()) parameters.set("q", words.trim());
    else parameters.delete("q");
    const text = parameters.toString();
    go(text ? `/?${text}` : "/");
  };
  return (
    <search className={styles.search}>
      <form onSubmit={submit}>
        <Icon name="search" />
        <input
          type="search"
          name="q"
          aria-label="Search titles, streamers and what is said"
          placeholder="Search what was said"
          autoComplete="off"
          maxLength={500}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            // The small cross of the field.
            if (event.target.value === "" && asked) go("/");
          }}
        />
      </form>
    </search>
  );
}

/** How many jobs run and wait, with the way to them. */
function Running() {
  const stats = useQuery({
    queryKey: keys.stats,
    queryFn: ({ signal }) => ask(api.GET("/v1/stats", { signal })),
    refetchInterval: 15_000,
  });
  const running = stats.data?.states.running ?? 0;
  const waiting = (stats.data?.states.queued ?? 0) + (stats.data?.states.retrying ?? 0);
  if (running + waiting === 0) return null;
  const said = running > 0 ? `${count(running, "job")} running` : `${count(waiting, "job")} waiting`;
  return (
    <Link href="/jobs" className={styles.running}>
      <span className={running > 0 ? styles.pulse : undefined} aria-hidden="true" />
      {said}
    </Link>
  );
}

/** Says that the server is not there, and that it is again. */
function Connection() {
  const state = useLiveState();
  const [wasLost, setLost] = useState(false);
  useEffect(() => {
    if (state === "lost") {
      // A blink is not worth a word.
      const timer = setTimeout(() => setLost(true), 1500);
      return () => clearTimeout(timer);
    }
    if (state === "open") setLost(false);
  }, [state]);
  return (
    <div role="status" className={wasLost ? styles.lost : undefined}>
      {wasLost &&
        "The connection to the server is lost. What you see may be out of date; it is looked for again by itself."}
    </div>
  );
}
