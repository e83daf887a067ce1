// Whole lists out of pages: the API gives a page and where the next one begins.
const MAX_PAGES = 1000;

/** Every item of a list. `load` is called with `next` of the page before. It ends early after a page for which `goOn` is false. */
export async function allPages<Page extends { next?: string | number | null | undefined }, Item>(
  load: (after: string | undefined) => Promise<Page>,
  items: (page: Page) => readonly Item[],
  goOn: (page: Page) => boolean = () => true,
): Promise<Item[]> {
  const found: Item[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await load(after);
    found.push(...items(page));
    if (page.next === null || page.next === undefined || !goOn(page)) return found;
    after = String(page.next);
  }
  throw new Error("the list has no end");
}
