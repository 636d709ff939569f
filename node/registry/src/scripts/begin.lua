-- What every script begins with. KEYS: the ring, the gateways, the news. All
-- keys carry the tag {ring}, so that they lie together in a cluster of servers.
local ring, gateways, news = KEYS[1], KEYS[2], KEYS[3]

-- There as long as an incarnation lives. An incarnation never comes back.
local function lease(incarnation) return ring .. ':lease:' .. incarnation end

local function lives(incarnation) return redis.call('EXISTS', lease(incarnation)) == 1 end

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
end

local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
