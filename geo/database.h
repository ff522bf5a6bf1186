// A MaxMind DB file (country, city, ASN; nested or flat), held so that nothing done to the file
// afterwards can hurt, and checked in full before anybody relies on it.
//
// The file is copied into a sealed memfd which libmaxminddb maps: a file overwritten in place under
// a mapping means SIGBUS or garbage. At opening the tree is walked once: records in range, no loop,
// no deeper than an address, no more leaves than the file's size warrants, every record decodable.
// So a truncated or hostile file is refused, and later walks need no checks.
// What this deliberately does not do: aliases. IPv4 is looked up in the IPv4 part of the tree, and
// the places where an IPv6 tree points back to it (::/96, ::ffff:0:0/96, 2002::/16) hold nothing
// for IPv6: base::normalised() turns such clients into IPv4 first.
// Thread rule: immutable once opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "geo/place.h"

namespace steerd::geo {

class Database {
  public:
    /// What a lookup found: `facts` is never null; `length` is the prefix around the address for
    /// which it (or that nothing is known) holds, counted in the family that was asked.
    struct Found {
        const Facts* facts;
        unsigned length;
    };

    /// A step of a walk: a node of the tree, or behind them a leaf.
    using Record = std::uint32_t;
    static constexpr std::uint32_t kNoFacts = UINT32_MAX;

    /// The error is one line, without the file's name.
    [[nodiscard]] static base::Result<Database, std::string> open(
        const std::filesystem::path& path);

    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;
    ~Database();

    /// Does not allocate. REQUIRES: normalised.
    [[nodiscard]] Found lookup(const base::IpAddress& address) const noexcept;

    [[nodiscard]] Record root(base::IpFamily family) const noexcept;
    [[nodiscard]] bool is_leaf(Record record) const noexcept;
    /// For the next bit 0 and 1. REQUIRES: !is_leaf(record).
    [[nodiscard]] std::pair<Record, Record> children(base::IpFamily family,
                                                     Record record) const noexcept;
    /// An index into facts(), or kNoFacts. REQUIRES: is_leaf(record).
    [[nodiscard]] std::uint32_t facts_of(Record record) const noexcept;
    /// The distinct facts of all records.
    [[nodiscard]] const std::vector<Facts>& facts() const noexcept;

    /// The database's own name for itself.
    [[nodiscard]] std::string type() const;
    /// Seconds since 1970.
    [[nodiscard]] std::uint64_t build_epoch() const noexcept;
    [[nodiscard]] std::uint32_t node_count() const noexcept;
    /// The file as it was read.
    [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept;

  private:
    struct Impl;
    explicit Database(std::unique_ptr<Impl> impl) noexcept;

    std::unique_ptr<Impl> impl_;
};

}  // namespace steerd::geo
