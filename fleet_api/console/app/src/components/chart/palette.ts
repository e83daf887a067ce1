// The colours of tokens.css for what is drawn by script: canvases know no properties of style sheets.

/** Gives what a property such as `--series-1` is within an element, as `rgb(...)`, in the colours of the page. */
export function paletteOf(element: HTMLElement): (property: string) => string {
  return (property) => {
    const probe = document.createElement("span");
    probe.className = "coloured"; // or every line has one colour where a person has chosen few
    probe.style.color = `var(${property})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
