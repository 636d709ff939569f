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

-- A record is `weight incarnation address`.
local function member(name)
    local record = redis.call('HGET', ring, 'shard:' .. name)
    if not record then return nil end
    local weight, incarnation, address = string.match(record, '^(%d+) (%d+) (.+)$')
    return { weight = tonumber(weight), incarnation = incarnation, address = address }
end

local function put(name, weight, incarnation, address)
    local record = string.format('%d %s %s', weight, incarnation, address)
    redis.call('HSET', ring, 'shard:' .. name, record)
end

-- Off the ring. It may hold slots, and is known until it has ended.
local function retire(name)
    local own = member(name)
    if heard(own.incarnation) ~= 'over' then
        redis.call('HSET', ring, 'gone:' .. own.incarnation, name .. ' ' .. own.address)
    end
    redis.call('HDEL', ring, 'shard:' .. name)
end

-- Whether another shard than this has slots, and may have this one's; if
-- `living`, one whose lease lives.
local function others(name, living)
    local fields = redis.call('HGETALL', ring)
    for at = 1, #fields, 2 do
        local other = string.match(fields[at], '^shard:(.+)$')
        if other and other ~= name then
            local record = member(other)
            if record.weight > 0 and (not living or lives(record.incarnation)) then
                return true
            end
        end
    end
    return false
end

-- The ring is another one: its number is above this one's, and above what the
-- asker has seen, should the server have forgotten.
local function moved(seen)
    local epoch = tonumber(redis.call('HGET', ring, 'epoch') or '0')
    epoch = string.format('%d', math.max(epoch, tonumber(seen)) + 1)
    redis.call('HSET', ring, 'epoch', epoch)
    -- Who waits for news is woken. Where the number is not above the last, keys
    -- were lost, and who waits in vain looks again soon.
    redis.pcall('XADD', news, 'MAXLEN', 1, epoch .. '-0', 'epoch', epoch)
    return epoch
end
