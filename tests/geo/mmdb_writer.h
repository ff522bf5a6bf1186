// Writes small MaxMind DB files for tests and examples, since no database can be shipped: nested
// (as GeoLite2) or flat (as DB-IP repackaged), IPv4 or IPv6 trees, records of 24, 28 or 32 bits,
// with the aliases that real files have. Any value can be stored, also a wrong one.
// Follows the MaxMind DB file format, version 2.0. Needs nothing but base/ and geo/place.h.
#pragma once

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/ip.h"
#include "geo/place.h"

namespace steerd::geo::testing {

/// Encoded values: octets of the data section.
namespace mmdb {

inline std::string header(unsigned type, std::size_t size) {
    std::string out;
    const auto octet = [](std::size_t value) { return static_cast<char>(value & 0xFFU); };
    const unsigned first = type <= 7 ? type << 5 : 0;
    const auto with = [&](std::size_t low) {
        out += octet(first | low);
        if (type > 7) {
            out += octet(type - 7);
        }
    };
    if (size < 29) {
        with(size);
    } else if (size < 285) {
        with(29);
        out += octet(size - 29);
    } else {
        with(30);
        out += octet((size - 285) >> 8);
        out += octet(size - 285);
    }
    return out;
}

inline std::string big_endian(std::uint64_t value, std::size_t octets) {
    std::string out;
    for (std::size_t i = octets; i-- > 0;) {
        out += static_cast<char>((value >> (8 * i)) & 0xFFU);
    }
    return out;
}

inline std::string text(std::string_view value) {
    return header(2, value.size()) + std::string(value);
}

inline std::string real(double value) {
    return header(3, 8) + big_endian(std::bit_cast<std::uint64_t>(value), 8);
}

inline std::string real32(float value) {
    return header(15, 4) + big_endian(std::bit_cast<std::uint32_t>(value), 4);
}

inline std::string u16(std::uint16_t value) { return header(5, 2) + big_endian(value, 2); }

inline std::string u32(std::uint32_t value) { return header(6, 4) + big_endian(value, 4); }

inline std::string u64(std::uint64_t value) { return header(9, 8) + big_endian(value, 8); }

/// A pointer to an offset of the data section.
inline std::string pointer(std::uint32_t offset) {
    return std::string(1, static_cast<char>((1U << 5) | (3U << 3))) + big_endian(offset, 4);
}

inline std::string map(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string out = header(7, pairs.size());
    for (const auto& [key, value] : pairs) {
        out += text(key) + value;
    }
    return out;
}

inline std::string array(const std::vector<std::string>& members) {
    std::string out = header(11, members.size());
    for (const std::string& member : members) {
        out += member;
    }
    return out;
}

}  // namespace mmdb

class MmdbWriter {
  public:
    struct Options {
        unsigned ip_version = 6;
        unsigned record_size = 24;  // bits
        bool nested = true;         // else flat
        bool aliases = false;       // ::ffff:0:0/96 and 2002::/16 point to the IPv4 part
        std::string type = "Test-City";
        std::uint64_t build_epoch = 1'780'000'000;
    };

    MmdbWriter() : MmdbWriter(Options{}) {}

    explicit MmdbWriter(Options options) : options_(std::move(options)), nodes_(1) {}

    /// Facts as a record of the chosen layout; what lay below the prefix is replaced.
    void insert(const base::IpPrefix& prefix, const Facts& facts) {
        insert_value(prefix, options_.nested ? nested(facts) : flat(facts));
    }

    /// Any encoded value as the record.
    void insert_value(const base::IpPrefix& prefix, const std::string& value) {
        const auto [at, added] =
            offsets_.try_emplace(value, static_cast<std::uint32_t>(data_.size()));
        if (added) {
            data_ += value;
        }
        set(prefix, {Kind::Data, at->second});
    }

    /// Octets put into the data section as they are; returns their offset.
    std::uint32_t add_raw(std::string_view octets) {
        const auto offset = static_cast<std::uint32_t>(data_.size());
        data_ += octets;
        return offset;
    }

    /// A record that points to any offset of the data section.
    void insert_offset(const base::IpPrefix& prefix, std::uint32_t offset) {
        set(prefix, {Kind::Data, offset});
    }

    [[nodiscard]] static std::string nested(const Facts& facts) {
        using namespace mmdb;
        std::vector<std::pair<std::string, std::string>> root;
        const auto names = [] { return map({{"de", text("Name")}, {"en", text("Name")}}); };
        if (facts.continent) {
            root.emplace_back("continent", map({{"code", text(facts.continent->view())},
                                                {"geoname_id", u32(6255148)},
                                                {"names", names()}}));
        }
        if (facts.country) {
            root.emplace_back("country", map({{"geoname_id", u32(1861060)},
                                              {"iso_code", text(facts.country->view())},
                                              {"names", names()}}));
        }
        if (facts.location) {
            root.emplace_back("location", map({{"accuracy_radius", u16(100)},
                                               {"latitude", real(facts.location->latitude)},
                                               {"longitude", real(facts.location->longitude)}}));
        }
        if (facts.subdivision) {
            const std::string code(facts.subdivision->view().substr(3));
            root.emplace_back("subdivisions",
                              array({map({{"iso_code", text(code)}, {"names", names()}})}));
        }
        if (facts.asn) {
            root.emplace_back("autonomous_system_number", u32(*facts.asn));
            root.emplace_back("autonomous_system_organization", text("Example"));
        }
        return map(root);
    }

    [[nodiscard]] static std::string flat(const Facts& facts) {
        using namespace mmdb;
        std::vector<std::pair<std::string, std::string>> root;
        root.emplace_back("city", text("Name"));
        if (facts.country) {
            root.emplace_back("country_code", text(facts.country->view()));
        }
        if (facts.subdivision) {
            root.emplace_back("state1", text(facts.subdivision->view()));
        }
        if (facts.location) {
            root.emplace_back("latitude", real32(static_cast<float>(facts.location->latitude)));
            root.emplace_back("longitude", real32(static_cast<float>(facts.location->longitude)));
        }
        if (facts.asn) {
            root.emplace_back("asn", u32(*facts.asn));
        }
        return map(root);
    }

    /// The whole file.
    [[nodiscard]] std::string octets() const {
        // Number the nodes in the order a walk meets them; unreachable ones vanish.
        std::vector<std::uint32_t> order{0};
        std::map<std::uint32_t, std::uint32_t> number{{0, 0}};
        for (std::size_t i = 0; i < order.size(); ++i) {
            for (const Record& child : nodes_[order[i]].child) {
                if (child.kind == Kind::Node &&
                    number.emplace(child.value, static_cast<std::uint32_t>(order.size())).second) {
                    order.push_back(child.value);
                }
            }
        }
        const auto count = static_cast<std::uint32_t>(order.size());
        const Record ipv4 = options_.aliases ? ipv4_root() : Record{};
        std::string out;
        for (const std::uint32_t node : order) {
            std::uint32_t records[2];
            for (int bit = 0; bit < 2; ++bit) {
                const Record child = nodes_[node].child[bit];
                const Record real = child.kind == Kind::Alias ? ipv4 : child;
                records[bit] = real.kind == Kind::Node   ? number.at(real.value)
                               : real.kind == Kind::Data ? count + 16 + real.value
                                                         : count;
            }
            append_node(out, records[0], records[1]);
        }
        out += std::string(16, '\0') + data_ + "\xAB\xCD\xEFMaxMind.com" + metadata(count);
        return out;
    }

    void write(const std::filesystem::path& path) const {
        std::ofstream file(path, std::ios::binary | std::ios::trunc);
        file << octets();
        file.close();
        CHECK(file.good());
    }

  private:
    enum class Kind : std::uint8_t { Empty, Node, Data, Alias };

    struct Record {
        Kind kind = Kind::Empty;
        std::uint32_t value = 0;
    };

    struct Node {
        Record child[2];
    };

    /// The bits of the prefix in this tree: IPv4 stands at ::/96 in an IPv6 tree.
    [[nodiscard]] std::vector<bool> path(const base::IpPrefix& prefix) const {
        const bool v4 = prefix.address().is_v4();
        std::vector<bool> bits(v4 && options_.ip_version == 6 ? 96 : 0, false);
        for (unsigned i = 0; i < prefix.length(); ++i) {
            bits.push_back(((prefix.address().octets()[i / 8] >> (7 - i % 8)) & 1U) != 0);
        }
        return bits;
    }

    void set_path(const std::vector<bool>& bits, Record record) {
        CHECK(!bits.empty());  // one record cannot be the whole tree
        std::uint32_t node = 0;
        for (std::size_t i = 0; i + 1 < bits.size(); ++i) {
            const Record child = nodes_[node].child[bits[i] ? 1 : 0];
            if (child.kind != Kind::Node) {
                // A record held for the whole prefix: both halves inherit it.
                const auto fresh = static_cast<std::uint32_t>(nodes_.size());
                nodes_.push_back({{child, child}});
                nodes_[node].child[bits[i] ? 1 : 0] = {Kind::Node, fresh};
            }
            node = nodes_[node].child[bits[i] ? 1 : 0].value;
        }
        nodes_[node].child[bits.back() ? 1 : 0] = record;
    }

    void set(const base::IpPrefix& prefix, Record record) {
        if (options_.aliases && !aliased_) {
            aliased_ = true;
            std::vector<bool> mapped(80, false);
            mapped.insert(mapped.end(), 16, true);
            set_path(mapped, {Kind::Alias, 0});
            std::vector<bool> six_to_four(16, false);  // 0x2002
            six_to_four[2] = six_to_four[14] = true;
            set_path(six_to_four, {Kind::Alias, 0});
        }
        std::vector<bool> bits = path(prefix);
        if (!bits.empty()) {
            set_path(bits, record);
            return;
        }
        set_path({false}, record);
        set_path({true}, record);
    }

    [[nodiscard]] Record ipv4_root() const {
        Record at{Kind::Node, 0};
        for (int i = 0; i < 96 && at.kind == Kind::Node; ++i) {
            at = nodes_[at.value].child[0];
        }
        return at;
    }

    void append_node(std::string& out, std::uint32_t left, std::uint32_t right) const {
        using mmdb::big_endian;
        CHECK((std::uint64_t{left} | right) >> options_.record_size == 0);  // more bits are needed
        if (options_.record_size == 28) {
            out += big_endian(left & 0xFFFFFFU, 3);
            out += static_cast<char>(((left >> 24) << 4) | (right >> 24));
            out += big_endian(right & 0xFFFFFFU, 3);
        } else {
            out += big_endian(left, options_.record_size / 8);
            out += big_endian(right, options_.record_size / 8);
        }
    }

    [[nodiscard]] std::string metadata(std::uint32_t node_count) const {
        using namespace mmdb;
        return map({{"binary_format_major_version", u16(2)},
                    {"binary_format_minor_version", u16(0)},
                    {"build_epoch", u64(options_.build_epoch)},
                    {"database_type", text(options_.type)},
                    {"description", map({{"en", text("written by a test")}})},
                    {"ip_version", u16(static_cast<std::uint16_t>(options_.ip_version))},
                    {"languages", array({text("en")})},
                    {"node_count", u32(node_count)},
                    {"record_size", u16(static_cast<std::uint16_t>(options_.record_size))}});
    }

    Options options_;
    std::vector<Node> nodes_;
    std::string data_;
    std::map<std::string, std::uint32_t> offsets_;
    bool aliased_ = false;
};

}  // namespace steerd::geo::testing
