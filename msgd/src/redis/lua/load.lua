-- Tells of a mailbox, and drops what is too old from its front. Keys: the slot,
-- the stream, the users, the receipts. Arguments: the token, the user, the
-- oldest stamp or 0, how many are dropped at most, bytes of a row's head.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
local row = redis.call('HGET', KEYS[3], ARGV[2]) or ''
local notes = redis.call('EXISTS', KEYS[4])
if redis.call('EXISTS', KEYS[2]) == 0 then
    return {row, notes}
end
local dropped, oldest, most = 0, tonumber(ARGV[3]), tonumber(ARGV[4])
local from, fresh = '-', oldest == 0
while not fresh do
    local page = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 64)
    for _, entry in ipairs(page) do
        fresh = struct.unpack('<I8', entry[2][2], 9) >= oldest or dropped == most
        if fresh then
            if dropped > 0 then
                redis.call('XTRIM', KEYS[2], 'MINID', entry[1])
            end
            break
        end
        dropped = dropped + 1
        from = '(' .. entry[1]
    end
    if not fresh and #page < 64 then
        redis.call('XTRIM', KEYS[2], 'MAXLEN', 0)
        break
    end
end
local info = redis.call('XINFO', 'STREAM', KEYS[2])
local last
for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
        last = info[i + 1]
    end
end
-- The first entry of each token.
local firsts, front, back = {}, '', ''
local entry = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if entry then
    front = string.sub(entry[2][2], 1, ARGV[5])
end
while entry do
    firsts[#firsts + 1] = entry[1]
    local token = string.match(entry[1], '^(%d+)-')
    local newest = redis.call('XREVRANGE', KEYS[2], token, token, 'COUNT', 1)[1]
    back = newest[2][2]
    entry = redis.call('XRANGE', KEYS[2], '(' .. newest[1], '+', 'COUNT', 1)[1]
end
return {row, notes, last, dropped, firsts, front, string.sub(back, 1, ARGV[5]), #back}
