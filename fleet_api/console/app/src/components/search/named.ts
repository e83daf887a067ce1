// Names of properties as CQL2 text has them.

/** A property's name as CQL2 text has it: attributes of vehicles may have any characters. */
export function named(property: string): string {
  return /^[A-Za-z_]\w*(?:\.\w+)*$/.test(property) ? property : `"${property.replaceAll('"', '""')}"`;
}
