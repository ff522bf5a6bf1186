// The sources of facts as binary tries that are walked side by side.
//
// None of them is turned into a trie of nodes: sorted rows and ranges are cut in two by each bit,
// and a database already is one. A cursor is where one source stands for the prefix at hand.
// Thread rule: immutable; the cursors belong to the walk.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"
#include "geo/address_bits.h"
#include "geo/country_table.h"
#include "geo/database.h"

namespace steerd::geo {

/// Where a source stands for one prefix.
struct Cursor {
    static constexpr std::uint32_t kNothing = UINT32_MAX;
    std::uint32_t low = 0;  ///< of the source's own making
    std::uint32_t high = 0;
    std::uint32_t current = kNothing;  ///< the row in force, of all that are not longer
    bool done = false;                 ///< nothing in the source splits below this prefix
};

class Source {
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;
    /// For the prefix of length 0; enter() is still to come.
    [[nodiscard]] virtual Cursor root() const = 0;
    /// Brings `current` and `done` up to date for the prefix. REQUIRES: !cursor.done.
    virtual void enter(Cursor& cursor, Bits start, unsigned depth) const = 0;
    /// The cursors of both halves; `middle` is the first address of the right one.
    /// REQUIRES: !cursor.done.
    virtual void split(const Cursor& cursor, Bits middle, Cursor& left, Cursor& right) const = 0;
};

/// Prefixes that may nest, the longest in force (own networks, measured rows).
class RowSource final : public Source {
  public:
    struct Row {
        Bits start;
        std::uint32_t id;
        unsigned length;
    };

    /// REQUIRES: sorted by start, then length; no prefix twice.
    explicit RowSource(std::vector<Row> rows) : rows_(std::move(rows)) {}

    [[nodiscard]] Cursor root() const override;
    void enter(Cursor& cursor, Bits start, unsigned depth) const override;
    void split(const Cursor& cursor, Bits middle, Cursor& left, Cursor& right) const override;

  private:
    std::vector<Row> rows_;
};

/// Ranges from any address to any other; each counts as the prefixes that it is made of.
class RangeSource final : public Source {
  public:
    explicit RangeSource(const std::vector<CountryTable::Range>& ranges) : ranges_(ranges) {}

    [[nodiscard]] Cursor root() const override;
    void enter(Cursor& cursor, Bits start, unsigned depth) const override;
    void split(const Cursor& cursor, Bits middle, Cursor& left, Cursor& right) const override;

  private:
    const std::vector<CountryTable::Range>& ranges_;
};

class DatabaseSource final : public Source {
  public:
    DatabaseSource(const Database& database, base::IpFamily family)
        : database_(database), family_(family) {}

    [[nodiscard]] Cursor root() const override;
    void enter(Cursor& cursor, Bits start, unsigned depth) const override;
    void split(const Cursor& cursor, Bits middle, Cursor& left, Cursor& right) const override;

  private:
    const Database& database_;
    base::IpFamily family_;
};

}  // namespace steerd::geo
