#include "config/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace steerd::config {

namespace {

template <typename E, std::size_t N>
std::optional<E> parse_word(const std::array<std::string_view, N>& words,
                            std::string_view text) noexcept {
    const auto found = std::find(words.begin(), words.end(), text);
    return found == words.end() ? std::nullopt
                                : std::optional(static_cast<E>(found - words.begin()));
}

template <typename E, std::size_t N>
std::string_view word_of(const std::array<std::string_view, N>& words, E value) noexcept {
    const auto i = static_cast<std::size_t>(value);
    CHECK(i < N);
    return words[i];
}

bool is_upper_letter(char c) { return c >= 'A' && c <= 'Z'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
}

/// The part behind `prefix`, where the text begins with it.
std::optional<std::string_view> behind(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix ? std::optional(text.substr(prefix.size()))
                                                   : std::nullopt;
}

base::Result<Match, std::string> code_match(Match::Kind kind, std::optional<std::string> code,
                                            std::string_view expected) {
    if (!code) {
        return base::Err{std::string(expected)};
    }
    Match match;
    match.kind = kind;
    match.code = std::move(*code);
    return match;
}

base::Result<Match, std::string> network_match(std::string_view text) {
    const auto prefix = base::IpPrefix::parse(text);
    if (!prefix) {
        const auto better = prefix_without_host_bits(text);
        if (better) {
            return base::Err{"bits behind the length are set; did you mean \"" + better->text() +
                             "\"?"};
        }
        return base::Err{
            std::string("it is none of \"203.0.113.0/24\", \"AS64500\", \"subdivision:US-CA\", "
                        "\"country:US\", \"continent:EU\", \"*\"")};
    }
    Match match;
    match.kind = Match::Kind::Network;
    match.prefix = base::normalised(*prefix).prefix;
    return match;
}

}  // namespace

std::string_view to_text(Policy policy) noexcept { return word_of(kPolicyWords, policy); }

std::string_view to_text(WhenAllDown when) noexcept { return word_of(kWhenAllDownWords, when); }

std::string_view to_text(Families families) noexcept { return word_of(kFamiliesWords, families); }

std::string to_text(const Failback& failback) {
    switch (failback.kind) {
        case Failback::Kind::Auto:
            return "auto";
        case Failback::Kind::After:
            return base::format_duration(failback.after);
        case Failback::Kind::Manual:
            return "manual";
    }
    return {};
}

std::optional<Policy> parse_policy(std::string_view text) noexcept {
    return parse_word<Policy>(kPolicyWords, text);
}

std::optional<WhenAllDown> parse_when_all_down(std::string_view text) noexcept {
    return parse_word<WhenAllDown>(kWhenAllDownWords, text);
}

std::optional<Families> parse_families(std::string_view text) noexcept {
    return parse_word<Families>(kFamiliesWords, text);
}

std::optional<std::string> parse_country(std::string_view text) {
    auto code = upper(text);
    const bool good = code.size() == 2 && std::all_of(code.begin(), code.end(), is_upper_letter);
    return good ? std::optional(std::move(code)) : std::nullopt;
}

std::optional<std::string> parse_continent(std::string_view text) {
    constexpr std::array<std::string_view, 7> kContinents{"AF", "AN", "AS", "EU", "NA", "OC", "SA"};
    auto code = upper(text);
    const bool good = std::find(kContinents.begin(), kContinents.end(), code) != kContinents.end();
    return good ? std::optional(std::move(code)) : std::nullopt;
}

std::optional<std::string> parse_subdivision(std::string_view text) {
    auto code = upper(text);
    const bool good = code.size() >= 4 && code.size() <= 6 && is_upper_letter(code[0]) &&
                      is_upper_letter(code[1]) && code[2] == '-' &&
                      std::all_of(code.begin() + 3, code.end(),
                                  [](char c) { return is_upper_letter(c) || is_digit(c); });
    return good ? std::optional(std::move(code)) : std::nullopt;
}

std::optional<std::uint32_t> parse_asn(std::string_view text) noexcept {
    if (text.size() < 3 || (text[0] != 'A' && text[0] != 'a') ||
        (text[1] != 'S' && text[1] != 's')) {
        return std::nullopt;
    }
    std::uint32_t asn = 0;
    const auto [end, error] = std::from_chars(text.begin() + 2, text.end(), asn);
    return error == std::errc{} && end == text.end() && asn > 0 ? std::optional(asn) : std::nullopt;
}

std::optional<base::IpPrefix> prefix_without_host_bits(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = base::IpAddress::parse(text.substr(0, slash));
    if (!address || slash == std::string_view::npos) {
        return std::nullopt;
    }
    unsigned length = 0;
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), length);
    if (error != std::errc{} || end != digits.end() || length > base::bits_of(address->family())) {
        return std::nullopt;
    }
    return base::IpPrefix(*address, length);
}

base::Result<Match, std::string> parse_match(std::string_view text) {
    if (text == "*") {
        return Match{};
    }
    if (const auto code = behind(text, "continent:")) {
        return code_match(Match::Kind::Continent, parse_continent(*code),
                          "a continent is AF, AN, AS, EU, NA, OC or SA");
    }
    if (const auto code = behind(text, "country:")) {
        return code_match(Match::Kind::Country, parse_country(*code),
                          "a country is two letters like \"JP\"");
    }
    if (const auto code = behind(text, "subdivision:")) {
        return code_match(Match::Kind::Subdivision, parse_subdivision(*code),
                          "a subdivision is an ISO 3166-2 code like \"US-CA\"");
    }
    if (const auto asn = parse_asn(text)) {
        Match match;
        match.kind = Match::Kind::Asn;
        match.asn = *asn;
        return match;
    }
    return network_match(text);
}

std::string Match::text() const {
    switch (kind) {
        case Kind::Network:
            return prefix.text();
        case Kind::Asn:
            return fmt::format("AS{}", asn);
        case Kind::Subdivision:
            return "subdivision:" + code;
        case Kind::Country:
            return "country:" + code;
        case Kind::Continent:
            return "continent:" + code;
        case Kind::Any:
            return "*";
    }
    return {};
}

}  // namespace steerd::config
