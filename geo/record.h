// Reads the data section of a MaxMind DB file: one record to Facts, with a budget.
//
// Why not the library's own lookups: what a lookup costs is the file's choice (maps of millions of
// pairs, arrays of pointers to arrays of pointers), and a hostile file must be refused, not waited
// for. Here every item read is paid from a budget in proportion to the file. It also reads a record
// in one pass instead of one for each path.
// The schema is found by the paths a record has, never by the database's name for itself.
// Follows the MaxMind DB file format, version 2.0. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "geo/place.h"

namespace steerd::geo {

class RecordReader {
  public:
    /// `data` is the data section; `budget` the number of items that may be read in all.
    RecordReader(std::span<const std::uint8_t> data, std::uint64_t budget) noexcept
        : data_(data), budget_(budget) {}

    /// The facts of the record at `offset`; nullopt when it cannot be decoded or the budget ends.
    /// A record without any known path is no error: it has no facts.
    [[nodiscard]] std::optional<Facts> facts_at(std::uint32_t offset) noexcept;
    /// Whether all that hangs on `offset`, pointers followed, can be decoded within the budget.
    [[nodiscard]] bool walk(std::uint32_t offset, unsigned depth = 0) noexcept;
    /// An unsigned integer of the map at `offset`.
    [[nodiscard]] std::optional<std::uint64_t> number_at(std::uint32_t offset,
                                                         std::string_view key) noexcept;

  private:
    enum class Type : std::uint8_t {
        Extended = 0,
        Pointer = 1,
        Utf8 = 2,
        Double = 3,
        Bytes = 4,
        Uint16 = 5,
        Uint32 = 6,
        Map = 7,
        Int32 = 8,
        Uint64 = 9,
        Uint128 = 10,
        Array = 11,
        Boolean = 14,
        Float = 15,
    };

    /// One value; `begin` is its payload (for a map or array its first member).
    struct Item {
        Type type = Type::Map;
        std::uint32_t size = 0;    // octets of a scalar, pairs of a map, members of an array
        std::uint32_t target = 0;  // of a pointer
        std::uint32_t begin = 0;
        std::uint32_t end = 0;  // behind the payload; for a map or array equal to begin
    };
    struct Wanted;

    [[nodiscard]] std::optional<std::uint64_t> big_endian(std::uint32_t at,
                                                          std::uint32_t octets) const noexcept;
    [[nodiscard]] std::optional<Item> item(std::uint32_t at) noexcept;
    [[nodiscard]] std::optional<Item> pointer(std::uint8_t control,
                                              std::uint32_t at) const noexcept;
    /// The item, or what it points to (a pointer to a pointer is refused, as the format says).
    [[nodiscard]] std::optional<Item> resolved(std::uint32_t at) noexcept;
    /// The offset behind the value at `at`.
    [[nodiscard]] std::optional<std::uint32_t> skip(std::uint32_t at) noexcept;
    [[nodiscard]] std::string_view text(const Item& item) const noexcept;
    [[nodiscard]] std::optional<double> decimal(std::uint32_t at) noexcept;
    [[nodiscard]] std::optional<std::uint32_t> as_number(std::uint32_t at) noexcept;
    /// fn(key, offset of the value) -> bool, false to give up, for each pair; false on bad data.
    template <typename Fn>
    [[nodiscard]] bool each_pair(const Item& map, Fn&& fn) noexcept;
    /// The string at `key` of the map at `at`, or the string at `at` itself; empty when there is
    /// neither.
    [[nodiscard]] std::string_view code_in(std::uint32_t at, std::string_view key) noexcept;
    [[nodiscard]] std::string_view first_subdivision(std::uint32_t at) noexcept;
    [[nodiscard]] bool want(Wanted& wanted, const Item& map, bool root) noexcept;
    void read_country(const Wanted& wanted, Facts& facts) noexcept;
    void read_subdivision(const Wanted& wanted, Facts& facts) noexcept;
    void read_location(const Wanted& wanted, Facts& facts) noexcept;

    std::span<const std::uint8_t> data_;
    std::uint64_t budget_;
    bool broken_ = false;  // sticky: some value could not be decoded
};

}  // namespace steerd::geo
