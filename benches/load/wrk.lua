-- Sends requests of a file (host, token and body on each line), drawn at random: `-- FILE uniform|zipf`.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("seed", os.time() * 64 + threads)
end

function init(args)
  math.randomseed(seed)
  requests, cumulative = {}, {}
  local total = 0
  for line in io.lines(args[1]) do
    local host, token, body = line:match("([^\t]*)\t([^\t]*)\t(.*)")
    local headers = {
      ["Host"] = host,
      ["Authorization"] = "Bearer " .. token,
      ["Content-Type"] = "application/json",
      ["Accept"] = "application/graphql-response+json",
    }
    requests[#requests + 1] = wrk.format("POST", "/graphql", headers, body)
    total = total + 1 / #requests
    cumulative[#requests] = total
  end
  zipf = args[2] == "zipf"
end

-- The first line whose share of the whole, and that of those before it, reaches the number drawn.
local function skewed()
  local drawn, low, high = math.random() * cumulative[#cumulative], 1, #cumulative
  while low < high do
    local middle = math.floor((low + high) / 2)
    if cumulative[middle] < drawn then low = middle + 1 else high = middle end
  end
  return low
end

function request()
  return requests[zipf and skewed() or math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("result %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), failed))
end
