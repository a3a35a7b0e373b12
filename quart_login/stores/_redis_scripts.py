"""What does the Redis or Valkey server run for the store?

Rule 1.  A script touches the one key that it is given, so a cluster needs no more than one node.
Rule 2.  It reads all before it writes, and what may fail comes first: Redis undoes nothing.
         (Memory may be full: HSET fails then, HDEL does not.  A channel may be forbidden.)
Rule 3.  It does not ask the server what time it is.
Rule 4.  What it cannot read it does not make sense of: such a record is none of the sessions that
         count, and ends with its user's others.

The key is a hash, from the sessions' ids to their records.  A record is three lines; the first has
what the scripts compare and change, the second is the user's id, the third is theirs to carry::

    version seen created expires idle
    "the user's id"
    [all else]
"""

from __future__ import annotations

from hashlib import sha1
from typing import Final


class Script:
    """A Lua script, and the name the server knows it by once it has seen it."""

    __slots__ = ("sha", "source")

    def __init__(self, *parts: str) -> None:
        self.source = "".join(parts)
        self.sha = sha1(self.source.encode(), usedforsecurity=False).hexdigest()


_READ: Final = """
local key = KEYS[1]

local function number(text)
  local found = tonumber(text)
  if found and found - found == 0 then return found end  -- neither nan nor inf
end

local function read(value)
  local version, seen, created, expires, idle, user =
    string.match(value, '^(%d+) (%S+) (%S+) (%S+) (%S+)\\n([^\\n]*)\\n')
  local record = {version = version, text = seen, user = user,
    seen = number(seen), created = number(created), expires = number(expires)}
  if idle ~= '-' then
    record.idle = number(idle)
    if not record.idle then return end
  end
  if record.seen and record.created and record.expires then return record end
end
"""

_OVER: Final = """
local function over(record, now)
  return now > record.expires or (record.idle and now > record.seen + record.idle)
end
"""

_TELL: Final = """
local function tell(channel, ids)
  if channel ~= '' and #ids > 0 then
    redis.call('PUBLISH', channel, table.concat(ids, ' '))
  end
end
"""

_KEEP: Final = """
local function keep(lifetime)
  if redis.call('PTTL', key) < tonumber(lifetime) then
    redis.call('PEXPIRE', key, lifetime)
  end
end
"""

#: What `ADD` answers first.
TAKEN: Final = 0
KEPT: Final = 1
FULL: Final = 2

#: id, record, user, lifetime (ms), now, limit (0: none), evict (0 or 1), grace (s), channel
#: -> KEPT and the ids and records that made room; FULL; or TAKEN.
#: At 16, 32, 64 ... records it looks for those that were over a while ago, and drops them: so they
#: are never the greater part of many, and the price of looking is shared by the logins between.
ADD: Final = Script(
    _READ,
    _OVER,
    _TELL,
    _KEEP,
    """
local id, record, user, lifetime = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, limit, evict = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7] == '1'
local grace, channel = tonumber(ARGV[8]), ARGV[9]

if redis.call('HEXISTS', key, id) == 1 then return {0} end

local count = redis.call('HLEN', key)
local crowded = count >= 16 and bit.band(count, count - 1) == 0
local alive, gone, answer = {}, {}, {1}
if crowded or limit > 0 then
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local found = read(all[i + 1])
    if found and crowded and over(found, now - grace) then
      gone[#gone + 1] = all[i]
    elseif found and found.user == user and not over(found, now) then
      found.id, found.value = all[i], all[i + 1]
      alive[#alive + 1] = found
    end
  end
end

local ended = {}
if limit > 0 and #alive >= limit then
  if not evict then return {2} end
  table.sort(alive, function(a, b)
    if a.seen ~= b.seen then return a.seen > b.seen end
    if a.created ~= b.created then return a.created > b.created end
    return a.id > b.id
  end)
  for i = limit, #alive do
    ended[#ended + 1] = alive[i].id
    gone[#gone + 1] = alive[i].id
    answer[#answer + 1] = alive[i].id
    answer[#answer + 1] = alive[i].value
  end
end

redis.call('HSET', key, id, record)
tell(channel, ended)
for _, one in ipairs(gone) do redis.call('HDEL', key, one) end
keep(lifetime)
return answer
""",
)

#: What `SWAP` and `TOUCH` answer where there is a record that they cannot read.
UNREADABLE: Final = -1

#: id, old version, new version, seen, the record's rest, user, lifetime (ms) -> 1 or 0
SWAP: Final = Script(
    _READ,
    _KEEP,
    """
local id, old, new, seen, rest, user, lifetime = unpack(ARGV)
local value = redis.call('HGET', key, id)
if not value then return 0 end
local found = read(value)
if not found then return -1 end
if found.version ~= old or found.user ~= user then return 0 end
if found.seen > tonumber(seen) then seen = found.text end
redis.call('HSET', key, id, new .. ' ' .. seen .. rest)
keep(lifetime)
return 1
""",
)

#: id, seen -> 1 or 0
TOUCH: Final = Script(
    _READ,
    """
local id, seen = ARGV[1], ARGV[2]
local value = redis.call('HGET', key, id)
if not value then return 0 end
local found = read(value)
if not found then return -1 end
if found.seen >= tonumber(seen) then return 0 end
local rest = string.sub(value, #found.version + #found.text + 2)
redis.call('HSET', key, id, found.version .. ' ' .. seen .. rest)
return 1
""",
)

#: id, channel -> the record, or nothing
DELETE: Final = Script(
    _READ,
    _TELL,
    """
local value = redis.call('HGET', key, ARGV[1])
if not value then return false end
tell(ARGV[2], {ARGV[1]})
redis.call('HDEL', key, ARGV[1])
return value
""",
)

#: user, the id to keep, channel -> ids and records
DELETE_USER: Final = Script(
    _READ,
    _TELL,
    """
local user, but, channel = ARGV[1], ARGV[2], ARGV[3]
local all, ended, answer = redis.call('HGETALL', key), {}, {}
for i = 1, #all, 2 do
  local found = read(all[i + 1])
  if all[i] ~= but and (not found or found.user == user) then
    ended[#ended + 1] = all[i]
    answer[#answer + 1] = all[i]
    answer[#answer + 1] = all[i + 1]
  end
end
tell(channel, ended)
for _, one in ipairs(ended) do redis.call('HDEL', key, one) end
return answer
""",
)

#: now -> how many were over
PURGE: Final = Script(
    _READ,
    _OVER,
    """
local all, count = redis.call('HGETALL', key), 0
for i = 1, #all, 2 do
  local found = read(all[i + 1])
  if found and over(found, tonumber(ARGV[1])) then
    count = count + redis.call('HDEL', key, all[i])
  end
end
return count
""",
)

#: channel -> 1: it may do all of the above, and changes nothing
PROBE: Final = Script(
    """
redis.call('HGETALL', KEYS[1])
redis.call('PTTL', KEYS[1])
redis.call('HDEL', KEYS[1], '')
if ARGV[1] ~= '' then redis.call('PUBLISH', ARGV[1], '') end
return 1
"""
)
