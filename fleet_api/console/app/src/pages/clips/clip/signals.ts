// The signals of a clip, read in the browser from the Parquet file that extraction made.
import { decompress } from "fzstd";
import { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import type { Signals } from "../../../components/signals/plots";

/** A file larger than this is not read whole: the command line reads the part that is needed. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

const compressors = {
  ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)),
};

/** All signals of the file at a link, in s after the clip's start; `sizeBytes` is its size. */
export async function readSignals(url: string, sizeBytes: number, signal: AbortSignal): Promise<Signals> {
  const file = await asyncBufferFromUrl({ url, byteLength: sizeBytes, requestInit: { signal } });
  const metadata = await parquetMetadataAsync(file);
  const rows = await parquetReadObjects({ file, metadata, compressors });
  const names = metadata.schema.slice(1).map((element) => element.name).filter((name) => name !== "t");
  const value = (cell: unknown) => (typeof cell === "number" && Number.isFinite(cell) ? cell : null);
  return {
    t: rows.map((row) => Number(row.t)),
    columns: new Map(names.map((name) => [name, rows.map((row) => value(row[name]))])),
  };
}
