// Where the page was scrolled to at each address, so that going back shows the place that was left.
import { useEffect, useLayoutEffect, useRef } from "react";
import { useLocation, useSearch } from "wouter";

const places = new Map<string, number>();

/** Scrolls to the top at a new address and to the place that was left at one gone back to. Calls `arrived` when another path is shown. */
export function useScrollMemory(arrived: () => void): void {
  const [path] = useLocation();
  const search = useSearch();
  const address = `${path}?${search}`;
  const shown = useRef({ address, path });
  const back = useRef(false);
  const done = useRef(arrived);
  done.current = arrived;
  useEffect(() => {
    history.scrollRestoration = "manual";
    const onBack = () => {
      back.current = true;
    };
    const onScroll = () => {
      places.set(shown.current.address, window.scrollY);
    };
    window.addEventListener("popstate", onBack);
    window.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      window.removeEventListener("popstate", onBack);
      window.removeEventListener("scroll", onScroll);
    };
  }, []);
  useLayoutEffect(() => {
    const before = shown.current;
    if (before.address === address) return;
    shown.current = { address, path };
    const top = back.current ? (places.get(address) ?? 0) : 0;
    back.current = false;
    if (before.path === path) {
      // Filters of the same place: begin at the top of what they find.
      window.scrollTo(0, top);
      return;
    }
    done.current();
    window.scrollTo(0, top);
    // What is shown may need another frame to have its height.
    if (top > 0) requestAnimationFrame(() => window.scrollTo(0, top));
  }, [address, path]);
}
