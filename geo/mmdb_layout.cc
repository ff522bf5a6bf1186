#include "geo/mmdb_layout.h"

#include <algorithm>
#include <string_view>

#include "geo/record.h"

namespace steerd::geo {

namespace {

constexpr std::string_view kMarker = "\xAB\xCD\xEFMaxMind.com";
constexpr std::size_t kMaxMetadata = 128U << 10;     // "the last 128 KiB", says the format
constexpr std::uint64_t kMetadataBudget = 1U << 16;  // real ones have under a hundred items

}  // namespace

base::Result<MmdbLayout, std::string> find_layout(std::span<const std::uint8_t> file) {
    const auto tail = file.last(std::min(file.size(), kMaxMetadata));
    const auto marker = std::find_end(
        tail.begin(), tail.end(), kMarker.begin(), kMarker.end(),
        [](std::uint8_t octet, char c) { return octet == static_cast<std::uint8_t>(c); });
    if (marker == tail.end()) {
        return base::Err{std::string("is no MaxMind DB file, or is truncated (no metadata)")};
    }
    const auto marker_at = static_cast<std::uint64_t>(file.size() - tail.size()) +
                           static_cast<std::uint64_t>(marker - tail.begin());
    const auto metadata = file.subspan(marker_at + kMarker.size());
    RecordReader reader(metadata, kMetadataBudget);
    if (metadata.empty() || !reader.walk(0)) {
        return base::Err{std::string("its metadata cannot be decoded")};
    }
    const auto node_count = reader.number_at(0, "node_count");
    const auto record_bits = reader.number_at(0, "record_size");
    const auto version = reader.number_at(0, "ip_version");
    if (!node_count || *node_count == 0 || *node_count > UINT32_MAX || !record_bits ||
        (*record_bits != 24 && *record_bits != 28 && *record_bits != 32) || !version ||
        (*version != 4 && *version != 6)) {
        return base::Err{std::string("its metadata makes no sense")};
    }
    MmdbLayout layout;
    layout.node_count = *node_count;
    layout.bits = *version == 4 ? 32 : 128;
    layout.data_begin = layout.node_count * (*record_bits / 4) + kMmdbSeparator;
    layout.data_end = marker_at;
    if (layout.data_begin > layout.data_end) {
        return base::Err{"is truncated: its tree needs " + std::to_string(layout.data_begin) +
                         " octets, there are " + std::to_string(marker_at)};
    }
    return layout;
}

}  // namespace steerd::geo
