// See cookie.h. A server's half: version 1, three reserved octets, the time in seconds, and the
// hash over client's half, version, reserved, time and the client's address.
// Thread rule: pure functions.
#include "dns/cookie.h"

#include <sodium/crypto_shorthash.h>
#include <sodium/utils.h>

#include <algorithm>
#include <cstring>

#include "dns/wire.h"

namespace steerd::dns {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kTimeAt = kClientCookie + 4;
constexpr std::size_t kHashAt = kTimeAt + 4;
constexpr std::size_t kHash = kFullCookie - kHashAt;
constexpr std::size_t kLongestAddress = 16;

// RFC 9018 §4.3, in seconds.
constexpr std::int32_t kOldest = 60 * 60;
constexpr std::int32_t kFarthestAhead = 5 * 60;
constexpr std::int32_t kRenewedAfter = 30 * 60;

using Octets = std::span<const std::uint8_t, kFullCookie>;
using Hash = std::array<std::uint8_t, kHash>;

static_assert(crypto_shorthash_BYTES == kHash);
static_assert(crypto_shorthash_KEYBYTES == sizeof(CookieSecret));

Hash hash_of(Octets cookie, const base::IpAddress& client, const CookieSecret& secret) noexcept {
    std::array<std::uint8_t, kHashAt + kLongestAddress> input;
    const auto address = client.octets();
    std::memcpy(input.data(), cookie.data(), kHashAt);
    std::memcpy(input.data() + kHashAt, address.data(), address.size());
    Hash out;
    crypto_shorthash(out.data(), input.data(), kHashAt + address.size(), secret.data());
    return out;
}

/// Seconds that wrap after 136 years; RFC 1982 compares them.
std::uint32_t seconds_of(base::Wall now) noexcept {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
}

/// Which secret made it; `count` when none did.
std::uint32_t maker_of(const CookieSecrets& secrets, Octets cookie,
                       const base::IpAddress& client) noexcept {
    std::uint32_t maker = 0;
    while (maker < secrets.count) {
        const Hash hash = hash_of(cookie, client, secrets.secrets[maker]);
        if (sodium_memcmp(hash.data(), cookie.data() + kHashAt, kHash) == 0) {
            break;
        }
        ++maker;
    }
    return maker;
}

}  // namespace

Cookie judge_cookie(const CookieSecrets& secrets, std::span<const std::uint8_t> option,
                    const base::IpAddress& client, base::Wall now) noexcept {
    Cookie cookie;
    if (secrets.count == 0 || option.size() < kClientCookie) {
        return cookie;
    }
    cookie.state = option.size() == kClientCookie ? CookieState::Fresh : CookieState::Bad;
    std::copy_n(option.begin(), std::min(option.size(), kFullCookie), cookie.octets.begin());
    const std::uint32_t now_s = seconds_of(now);
    if (option.size() == kFullCookie && option[kClientCookie] == kVersion) {
        const auto age = static_cast<std::int32_t>(now_s - load_u32(option.data() + kTimeAt));
        if (age <= kOldest && age >= -kFarthestAhead) {
            const std::uint32_t maker = maker_of(secrets, cookie.octets, client);
            cookie.state = maker < secrets.count ? CookieState::Good : CookieState::Bad;
            if (maker == 0 && age < kRenewedAfter) {
                return cookie;
            }
        }
    }
    std::uint8_t* const to = cookie.octets.data();
    store_u32(to + kClientCookie, std::uint32_t{kVersion} << 24);  // reserved: 0
    store_u32(to + kTimeAt, now_s);
    const Hash hash = hash_of(cookie.octets, client, secrets.secrets[0]);
    std::memcpy(to + kHashAt, hash.data(), kHash);
    return cookie;
}

}  // namespace steerd::dns
