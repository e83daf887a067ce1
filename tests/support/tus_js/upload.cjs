// Uploads one file with tus-js-client, and prints the end and the number of requests as JSON.
// Arguments: options as JSON: uploadUrl or endpoint, token, file, chunkSize, metadata.
const tus = require("tus-js-client");
const fs = require("fs");

const options = JSON.parse(process.argv[2]);
const requests = [];

function end(result) {
  console.log(JSON.stringify({ ...result, requests }));
  process.exit(0);
}

new tus.Upload(fs.createReadStream(options.file), {
  uploadUrl: options.uploadUrl || null,
  endpoint: options.endpoint,
  chunkSize: options.chunkSize || Infinity,
  uploadSize: fs.statSync(options.file).size,
  headers: { Authorization: "Bearer " + options.token },
  metadata: options.metadata || {},
  overridePatchMethod: options.overridePatchMethod || false,
  retryDelays: [0, 200, 500],
  onAfterResponse: (request, response) => {
    requests.push([request.getMethod(), response.getStatus()]);
    if (requests.length > 100) end({ error: "no end of requests" });
  },
  onError: (error) => end({ error: String(error.message) }),
  onSuccess: () => end({ error: null }),
}).start();
