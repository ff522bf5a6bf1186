// Packets for tests, octet by octet, and what ldns makes of ours.
#pragma once

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "dns/message.h"
#include "dns/query.h"
#include "dns/response.h"

namespace steerd::dns {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

inline Bytes u16(unsigned value) {
    return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

inline Name name(std::string_view text) {
    auto parsed = Name::parse(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << (parsed.ok() ? "" : parsed.error());
    return parsed.ok() ? *parsed : Name();
}

inline Bytes wire(NameView view) { return {view.octets().begin(), view.octets().end()}; }

inline Bytes header(unsigned flags, unsigned qd, unsigned an, unsigned ns, unsigned ar) {
    return u16(0x1234) + u16(flags) + u16(qd) + u16(an) + u16(ns) + u16(ar);
}

/// www.example.com. A IN
inline Bytes question() { return wire(name("www.example.com")) + u16(1) + u16(1); }

inline Bytes record(const Bytes& owner, unsigned type, unsigned rrclass, const Bytes& rdata) {
    return owner + u16(type) + u16(rrclass) + u16(0) + u16(0) +
           u16(static_cast<unsigned>(rdata.size())) + rdata;
}

inline Bytes option(unsigned code, const Bytes& value) {
    return u16(code) + u16(static_cast<unsigned>(value.size())) + value;
}

inline Bytes opt(const Bytes& options, unsigned udp_size = 1232, unsigned version = 0) {
    return Bytes{0} + u16(41) + u16(udp_size) + Bytes{0, static_cast<std::uint8_t>(version)} +
           u16(0) + u16(static_cast<unsigned>(options.size())) + options;
}

/// A query for www.example.com. A with one OPT of these options.
inline Bytes query_with(const Bytes& options) {
    return header(0, 1, 0, 0, 1) + question() + opt(options);
}

/// An RRset with its octets.
struct OwnedRrset {
    Name owner;
    RrType type{};
    Ttl ttl;
    std::uint16_t count = 0;
    Bytes records;

    OwnedRrset(std::string_view owner_text, RrType of_type, std::uint32_t ttl_s = 300)
        : owner(name(owner_text)), type(of_type), ttl(ttl_s) {}

    OwnedRrset& add(const Bytes& rdata) {
        records = records + u16(static_cast<unsigned>(rdata.size())) + rdata;
        ++count;
        return *this;
    }

    [[nodiscard]] RrsetView view() const { return {owner, type, ttl, count, records}; }
};

struct FreePacket {
    void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};

using LdnsPacket = std::unique_ptr<ldns_pkt, FreePacket>;

inline LdnsPacket ldns_parse(std::span<const std::uint8_t> octets) {
    ldns_pkt* packet = nullptr;
    if (ldns_wire2pkt(&packet, octets.data(), octets.size()) != LDNS_STATUS_OK) {
        return nullptr;
    }
    return LdnsPacket(packet);
}

/// A record as ldns prints it, for comparing with ours.
inline std::string ldns_text(const ldns_rr* rr) {
    char* const raw = ldns_rr2str(rr);
    std::string text(raw);
    free(raw);
    for (char& c : text) {
        c = c == '\t' ? ' ' : c;
    }
    text.erase(text.find_last_not_of(" \n") + 1);
    return text;
}

/// Writes a response into a buffer of exactly `limit` octets, so that ASan guards its end.
template <typename Fill>
Bytes respond(std::span<const std::uint8_t> packet, std::size_t limit, Fill&& fill) {
    const ParsedQuery parsed = parse_query(packet);
    EXPECT_NE(parsed.verdict, QueryVerdict::Drop);
    const auto out = std::make_unique<std::uint8_t[]>(limit);
    ResponseWriter writer({out.get(), limit}, limit, parsed.query);
    writer.set_rcode(parsed.rcode);
    fill(writer);
    const std::size_t size = writer.finish();
    EXPECT_LE(size, limit);
    return {out.get(), out.get() + size};
}

inline Message message(std::span<const std::uint8_t> octets) {
    auto parsed = parse_message(octets);
    EXPECT_TRUE(parsed.ok()) << parsed.error();
    return parsed.ok() ? *std::move(parsed) : Message();
}

}  // namespace steerd::dns
