-- The server forgot: it has an older ring than somebody saw, or another one of
-- the same number. What it has now goes on above both. ARGV: seen.
local epoch = tonumber(redis.call('HGET', ring, 'epoch') or '0')
if epoch > tonumber(ARGV[1]) then return { 'none' } end
moved(ARGV[1])
return { 'done' }
