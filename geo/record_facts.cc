// The half of RecordReader that knows which paths of a record tell what.
#include <bit>
#include <charconv>
#include <cmath>

#include "geo/countries.h"
#include "geo/record.h"

namespace steerd::geo {

/// Where in a record the values stand that tell a fact; absent: not there.
struct RecordReader::Wanted {
    std::optional<std::uint32_t> country;
    std::optional<std::uint32_t> country_code;
    std::optional<std::uint32_t> registered_country;
    std::optional<std::uint32_t> continent;
    std::optional<std::uint32_t> subdivisions;
    std::optional<std::uint32_t> state1;
    std::optional<std::uint32_t> location;
    std::optional<std::uint32_t> latitude;
    std::optional<std::uint32_t> longitude;
    std::optional<std::uint32_t> as_number;
    std::optional<std::uint32_t> asn;
};

template <typename Fn>
bool RecordReader::each_pair(const Item& map, Fn&& fn) noexcept {
    std::uint32_t at = map.begin;
    for (std::uint32_t i = 0; i < map.size; ++i) {
        const auto key = resolved(at);
        const auto value = key ? skip(at) : std::nullopt;
        if (!value || key->type != Type::Utf8) {
            broken_ = true;
            return false;
        }
        if (!fn(text(*key), *value)) {
            return true;
        }
        const auto next = skip(*value);
        if (!next) {
            return false;
        }
        at = *next;
    }
    return true;
}

std::optional<std::uint64_t> RecordReader::number_at(std::uint32_t offset,
                                                     std::string_view key) noexcept {
    std::optional<std::uint64_t> number;
    const auto map = resolved(offset);
    if (!map || map->type != Type::Map) {
        return std::nullopt;
    }
    const bool good = each_pair(*map, [&](std::string_view name, std::uint32_t at) {
        if (name != key) {
            return true;
        }
        const auto value = resolved(at);
        if (value && (value->type == Type::Uint16 || value->type == Type::Uint32 ||
                      value->type == Type::Uint64)) {
            number = big_endian(value->begin, value->size);
        }
        return false;
    });
    return good ? number : std::nullopt;
}

std::optional<double> RecordReader::decimal(std::uint32_t at) noexcept {
    const auto found = resolved(at);
    if (!found) {
        return std::nullopt;
    }
    std::optional<double> value;
    if (found->type == Type::Double) {
        value = std::bit_cast<double>(*big_endian(found->begin, 8));
    } else if (found->type == Type::Float) {
        const auto bits = static_cast<std::uint32_t>(*big_endian(found->begin, 4));
        value = static_cast<double>(std::bit_cast<float>(bits));
    } else if (found->type == Type::Utf8) {
        const std::string_view digits = text(*found);
        double parsed = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
        if (error == std::errc{} && end == digits.data() + digits.size()) {
            value = parsed;
        }
    }
    return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::uint32_t> RecordReader::as_number(std::uint32_t at) noexcept {
    const auto found = resolved(at);
    std::optional<std::uint64_t> value;
    if (found && (found->type == Type::Uint16 || found->type == Type::Uint32 ||
                  found->type == Type::Uint64)) {
        value = big_endian(found->begin, found->size);
    } else if (found && found->type == Type::Utf8) {  // "AS64500" or "64500"
        std::string_view digits = text(*found);
        digits.remove_prefix(digits.substr(0, 2) == "AS" ? 2 : 0);
        std::uint32_t parsed = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
        if (error == std::errc{} && end == digits.data() + digits.size()) {
            value = parsed;
        }
    }
    // AS 0 is reserved and means "none" where it appears (RFC 7607).
    return value && *value > 0 && *value <= UINT32_MAX
               ? std::optional(static_cast<std::uint32_t>(*value))
               : std::nullopt;
}

std::string_view RecordReader::code_in(std::uint32_t at, std::string_view key) noexcept {
    const auto found = resolved(at);
    std::string_view code;
    if (found && found->type == Type::Utf8) {
        code = text(*found);
    } else if (found && found->type == Type::Map) {
        static_cast<void>(each_pair(*found, [&](std::string_view name, std::uint32_t value_at) {
            if (name != key) {
                return true;
            }
            const auto value = resolved(value_at);
            if (value && value->type == Type::Utf8) {
                code = text(*value);
            }
            return false;
        }));
    }
    return code;
}

std::string_view RecordReader::first_subdivision(std::uint32_t at) noexcept {
    const auto list = resolved(at);
    const bool any = list && list->type == Type::Array && list->size > 0;
    return any ? code_in(list->begin, "iso_code") : std::string_view{};
}

bool RecordReader::want(Wanted& wanted, const Item& map, bool root) noexcept {
    return each_pair(map, [&](std::string_view key, std::uint32_t at) {
        if (key == "latitude") {
            wanted.latitude = at;
        } else if (key == "longitude") {
            wanted.longitude = at;
        } else if (!root) {
            return true;
        } else if (key == "country") {
            wanted.country = at;
        } else if (key == "country_code") {
            wanted.country_code = at;
        } else if (key == "registered_country") {
            wanted.registered_country = at;
        } else if (key == "continent") {
            wanted.continent = at;
        } else if (key == "subdivisions") {
            wanted.subdivisions = at;
        } else if (key == "state1") {
            wanted.state1 = at;
        } else if (key == "location") {
            wanted.location = at;
        } else if (key == "autonomous_system_number") {
            wanted.as_number = at;
        } else if (key == "asn") {
            wanted.asn = at;
        }
        return true;
    });
}

void RecordReader::read_country(const Wanted& wanted, Facts& facts) noexcept {
    // country.iso_code and a flat country string never stand in one record, so both are read at
    // the end of the same path; registered_country says who holds the block, the weakest hint.
    Facts pseudo;  // of a code like EU: the continent alone, unless a better path names a country
    const std::optional<std::uint32_t> paths[] = {wanted.country, wanted.country_code,
                                                  wanted.registered_country};
    for (const auto& path : paths) {
        if (path && !facts.country) {
            const Facts found = facts_of_country_field(code_in(*path, "iso_code"));
            facts.country = found.country;
            if (!pseudo.continent) {
                pseudo.continent = found.continent;
            }
        }
    }
    if (wanted.continent) {
        facts.continent = parse_continent(code_in(*wanted.continent, "code"));
    }
    if (!facts.country && !facts.continent) {
        facts.continent = pseudo.continent;
    }
}

void RecordReader::read_subdivision(const Wanted& wanted, Facts& facts) noexcept {
    std::string_view code;
    if (wanted.subdivisions) {
        code = first_subdivision(*wanted.subdivisions);
    } else if (wanted.state1) {
        // A flat state is a name for people, unless it is a whole ISO 3166-2 code.
        code = code_in(*wanted.state1, "iso_code");
        code = code.find('-') == std::string_view::npos ? std::string_view{} : code;
    }
    if (code.empty() || code.size() > 6) {
        return;
    }
    if (code.find('-') == std::string_view::npos && facts.country && code.size() <= 3) {
        char whole[6] = {facts.country->view()[0], facts.country->view()[1], '-'};
        facts.subdivision = parse_subdivision({whole, 3 + code.copy(whole + 3, sizeof whole - 3)});
    } else {
        facts.subdivision = parse_subdivision(code);
    }
}

void RecordReader::read_location(const Wanted& wanted, Facts& facts) noexcept {
    if (!wanted.latitude || !wanted.longitude) {
        return;
    }
    const auto latitude = decimal(*wanted.latitude);
    const auto longitude = decimal(*wanted.longitude);
    if (!latitude || !longitude) {
        return;
    }
    const Location location{*latitude, *longitude};
    // (0,0) is how databases write "not known": it is open sea.
    if (location.valid() && location != Location{}) {
        facts.location = location;
    }
}

std::optional<Facts> RecordReader::facts_at(std::uint32_t offset) noexcept {
    broken_ = false;
    Facts facts;
    Wanted wanted;
    const auto record = resolved(offset);
    if (!record) {
        return std::nullopt;
    }
    if (record->type != Type::Map) {
        return facts;
    }
    if (!want(wanted, *record, true)) {
        return std::nullopt;
    }
    if (wanted.location) {
        const auto location = resolved(*wanted.location);
        if (location && location->type == Type::Map && !want(wanted, *location, false)) {
            return std::nullopt;
        }
    }
    read_country(wanted, facts);
    read_subdivision(wanted, facts);
    read_location(wanted, facts);
    if (wanted.as_number) {
        facts.asn = as_number(*wanted.as_number);
    }
    if (!facts.asn && wanted.asn) {
        facts.asn = as_number(*wanted.asn);
    }
    complete(facts);
    return broken_ ? std::nullopt : std::optional(facts);
}

}  // namespace steerd::geo
