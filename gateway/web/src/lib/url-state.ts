// Filters that live in the address: whoever copies it, reloads or goes back sees the same.
import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

/** The address's parameters, and how to change some of them: null or an empty text takes one out. */
export function useUrlState(): [URLSearchParams, (changes: Record<string, string | null>, replace?: boolean) => void] {
  const search = useSearch();
  const [path, go] = useLocation();
  const state = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback(
    (changes: Record<string, string | null>, replace = false) => {
      const next = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      const text = next.toString();
      go(text ? `${path}?${text}` : path, { replace });
    },
    [go, path],
  );
  return [state, change];
}
