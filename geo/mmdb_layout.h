// Where tree, data and metadata of a MaxMind DB file lie, found and checked before libmaxminddb
// sees the file: its own reading of the metadata follows pointers without a bound (a few octets can
// name 2^40 items) and multiplies sizes in 32 bits. Follows the MaxMind DB file format,
// version 2.0. Thread rule: pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace steerd::geo {

struct MmdbLayout {
    std::uint64_t node_count = 0;
    unsigned bits = 0;             ///< 32 or 128: the addresses of the tree
    std::uint64_t data_begin = 0;  ///< octets from the start of the file
    std::uint64_t data_end = 0;
};

/// Zero octets between tree and data, counted in the records that point to data.
inline constexpr std::uint64_t kMmdbSeparator = 16;

/// The error is one line without the file's name.
[[nodiscard]] base::Result<MmdbLayout, std::string> find_layout(std::span<const std::uint8_t> file);

}  // namespace steerd::geo
