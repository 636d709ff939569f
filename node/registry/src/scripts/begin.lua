-- What every script begins with. KEYS: the ring, the gateways, the news. All
-- keys carry the tag {ring}, so that they lie together in a cluster of servers.
local ring, gateways, news = KEYS[1], KEYS[2], KEYS[3]

-- Nothing hangs on this clock but what operators are shown, and whether a name
-- or slots may be asked for.
local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function lease(incarnation) return ring .. ':lease:' .. incarnation end

-- For so many seconds it is known what was last heard of an incarnation.
local KEPT = 86400

-- What was last heard of an incarnation: `over`, which is final, or `number
-- known`, those of a renewal and of the newest ring that it had heard of; how
-- long its lease goes on in ms, below 0 if it does not. `lost`: nothing.
local function heard(incarnation)
    local text = redis.call('GET', lease(incarnation))
    if not text then return 'lost', -1 end
    local sign, till = string.match(text, '^(%d+ %d+) (%d+)$')
    if not sign then return 'over', -1 end
    return sign, tonumber(till) - now()
end

local function renew(incarnation, number, known, length)
    local text = string.format('%s %s %d', number, known, now() + tonumber(length))
    redis.call('SET', lease(incarnation), text, 'EX', KEPT)
end

-- It never comes back.
local function over(incarnation)
    redis.call('SET', lease(incarnation), 'over', 'EX', KEPT)
    redis.call('HDEL', ring, 'gone:' .. incarnation)
end

local function lives(incarnation)
    local _, left = heard(incarnation)
    return left > 0
end

-- A record is `weight since incarnation berth address`: since which ring it has
-- had slots, and the port of a machine where the process is.
local function read(record)
    local weight, since, incarnation, berth, address =
        string.match(record, '^(%d+) (%d+) (%d+) (%d+) (.+)$')
    return {
        weight = tonumber(weight), since = since, incarnation = incarnation,
        berth = berth, address = address,
    }
end

local function member(name)
    local record = redis.call('HGET', ring, 'shard:' .. name)
    return record and read(record)
end

local function put(name, own)
    local record = string.format('%d %s %s %s %s',
        own.weight, own.since, own.incarnation, own.berth, own.address)
    redis.call('HSET', ring, 'shard:' .. name, record)
end

-- The names of all shards.
local function names()
    local found = {}
    for _, field in ipairs(redis.call('HKEYS', ring)) do
        local name = string.match(field, '^shard:(.+)$')
        if name then table.insert(found, name) end
    end
    return found
end

-- Off the ring. It may hold slots, and is known until it has ended.
local function retire(name)
    local own = member(name)
    if heard(own.incarnation) ~= 'over' then
        redis.call('HSET', ring, 'gone:' .. own.incarnation, name .. ' ' .. own.berth)
    end
    redis.call('HDEL', ring, 'shard:' .. name)
end

-- Whether another shard than this has slots, and may have this one's; if
-- `living`, one whose lease lives.
local function others(name, living)
    for _, other in ipairs(names()) do
        if other ~= name then
            local record = member(other)
            if record.weight > 0 and (not living or lives(record.incarnation)) then
                return true
            end
        end
    end
    return false
end

-- The number of the ring.
local function number() return tonumber(redis.call('HGET', ring, 'epoch') or '0') end

-- The ring is another one: its number is above this one's, and above what the
-- asker has seen. If that is above this one's, or `forgotten`, the server has
-- forgotten rings, in which others stood than here: who knows those does not
-- know who has slots now, so that all have had them since this one.
local function moved(seen, forgotten)
    local epoch, seen = number(), tonumber(seen)
    forgotten = forgotten or seen > epoch
    epoch = string.format('%d', math.max(epoch, seen) + 1)
    redis.call('HSET', ring, 'epoch', epoch)
    if forgotten then
        for _, name in ipairs(names()) do
            local own = member(name)
            own.since = epoch
            put(name, own)
        end
    end
    -- Who waits for news is woken. Where the number is not above the last, keys
    -- were lost, and who waits in vain looks again soon.
    redis.pcall('XADD', news, 'MAXLEN', 1, epoch .. '-0', 'epoch', epoch)
    return epoch
end
