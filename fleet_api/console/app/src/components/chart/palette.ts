// The colours of tokens.css for what is drawn by script: canvases know no properties of style sheets.

/** Gives what a property such as `--series-1` is within an element, as `rgb(...)`.
 *
 * Where a person has chosen few colours, it is the page's own all the same, or every line would have one colour. With
 * `isForced` it is the person's colour of texts, as what stands on the ground that they chose has to be.
 */
export function paletteOf(element: HTMLElement, { isForced = false } = {}): (property: string) => string {
  return (property) => {
    const probe = document.createElement("span");
    probe.classList.toggle("coloured", !isForced);
    probe.style.color = `var(${property})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
