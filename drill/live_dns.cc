#include "drill/live_dns.h"

#include <algorithm>

#include "dns/wire.h"

namespace steerd::drill {

namespace {

constexpr std::uint16_t kTypeA = 1, kTypeSoa = 6, kTypeOpt = 41, kClassIn = 1;
constexpr std::uint16_t kPayload = 1232;
constexpr std::uint16_t kSubnetOption = 8, kSubnetHead = 4;
constexpr std::uint16_t kFlagResponse = 0x8000, kFlagTruncated = 0x0200, kRcodeMask = 0x000F;

}  // namespace

std::size_t compose_question(std::span<std::uint8_t> out, std::uint16_t id, const dns::Name& name,
                             const base::IpPrefix& subnet) {
    dns::WireWriter to(out.data(), out.size());
    const std::uint16_t octets = static_cast<std::uint16_t>((subnet.length() + 7) / 8);
    for (const std::uint16_t word : {id, std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{0},
                                     std::uint16_t{0}, std::uint16_t{1}}) {
        to.u16(word);
    }
    to.bytes(name.view().octets());
    to.u16(kTypeA);
    to.u16(kClassIn);
    const std::uint8_t root = 0;
    to.bytes({&root, 1});
    for (const std::uint16_t word :
         {kTypeOpt, kPayload, std::uint16_t{0}, std::uint16_t{0},
          static_cast<std::uint16_t>(2 * 2 + kSubnetHead + octets), kSubnetOption,
          static_cast<std::uint16_t>(kSubnetHead + octets),
          static_cast<std::uint16_t>(subnet.address().is_v4() ? 1 : 2),
          static_cast<std::uint16_t>(subnet.length() << 8U)}) {
        to.u16(word);
    }
    to.bytes(subnet.address().octets().first(octets));
    return to.ok() ? to.size() : 0;
}

std::optional<LiveReply> parse_reply(std::span<const std::uint8_t> message) {
    dns::WireReader in(message);
    LiveReply out;
    out.id = in.u16();
    const std::uint16_t flags = in.u16();
    const unsigned questions = in.u16();
    const unsigned answers = in.u16();
    const unsigned authorities = in.u16();
    (void)in.u16();
    if (!in.ok() || (flags & kFlagResponse) == 0) {
        return std::nullopt;
    }
    out.failed = (flags & kRcodeMask) != 0 || (flags & kFlagTruncated) != 0;
    for (unsigned i = 0; i < questions && in.ok(); ++i) {
        in.skip_name();
        (void)in.take(4);
    }
    for (unsigned i = 0; i < answers && in.ok(); ++i) {
        in.skip_name();
        const std::uint16_t type = in.u16();
        (void)in.u16();
        const std::uint32_t ttl = in.u32();
        const auto data = in.take(in.u16());
        if (in.ok() && type == kTypeA && data.size() == 4) {
            out.addresses.push_back(base::IpAddress::from_octets(base::IpFamily::V4, data));
            out.ttl_s = ttl;
        }
    }
    for (unsigned i = 0; i < authorities && in.ok() && out.addresses.empty(); ++i) {
        in.skip_name();
        const std::uint16_t type = in.u16();
        (void)in.u16();
        const std::uint32_t ttl = in.u32();
        const auto data = in.take(in.u16());
        if (in.ok() && type == kTypeSoa && data.size() > 4) {
            dns::WireReader minimum(data, data.size() - 4);
            out.ttl_s = std::min(ttl, minimum.u32());
        }
    }
    if (!in.ok()) {
        return std::nullopt;
    }
    return out;
}

}  // namespace steerd::drill
