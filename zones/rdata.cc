// Reading rdata field by field; the first thing wrong is the error, at its word.
// RFC 1035 §3.3, §3.4.1; RFC 3596 §2.2; RFC 2782; RFC 6672 §2.1; RFC 3597 §5. Thread rule: see
// rdata.h.
#include "zones/rdata.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "zones/fields.h"
#include "zones/rdata_ldns.h"
#include "zones/rdata_wire.h"

namespace steerd::zones {

namespace {

using dns::RrType;

constexpr std::size_t kMaxRdata = 0xFFFF;
constexpr std::uint32_t kMaxSoaTime = 0x7FFFFFFF;

using Octets = std::vector<std::uint8_t>;

void put16(Octets& out, std::uint32_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

void put32(Octets& out, std::uint32_t value) {
    put16(out, value >> 16);
    put16(out, value & 0xFFFF);
}

/// Reads the words of one record in turn. Each function is false once something was wrong.
class Fields {
  public:
    Fields(const RdataText& text, Octets& out)
        : entry_(text.entry), at_(text.first), origin_(text.origin), out_(&out) {}

    bool ipv4() {
        if (!bare("an IPv4 address")) {
            return false;
        }
        auto rest = entry_->word(at_);
        for (int i = 0; i < 4; ++i) {
            const auto dot = rest.find('.');
            const auto part = rest.substr(0, dot);
            const auto value = parse_number(part, 255);
            const bool last = dot == std::string_view::npos;
            if (!value || part.size() > 3 || (part.size() > 1 && part[0] == '0') ||
                last != (i == 3)) {
                return fail("is not an IPv4 address");
            }
            out_->push_back(static_cast<std::uint8_t>(*value));
            rest.remove_prefix(last ? rest.size() : dot + 1);
        }
        return next();
    }

    bool ipv6() {
        if (!bare("an IPv6 address")) {
            return false;
        }
        std::array<char, INET6_ADDRSTRLEN> text{};
        std::array<std::uint8_t, 16> address{};
        const auto word = entry_->word(at_);
        if (word.size() >= text.size()) {
            return fail("is not an IPv6 address");
        }
        std::copy(word.begin(), word.end(), text.begin());
        if (::inet_pton(AF_INET6, text.data(), address.data()) != 1) {
            return fail("is not an IPv6 address");
        }
        out_->insert(out_->end(), address.begin(), address.end());
        return next();
    }

    bool name(const char* what) {
        if (!present(what)) {
            return false;
        }
        const auto name = parse_name(*entry_, at_, origin_);
        if (!name) {
            error_ = RdataError{at_, name.error()};
            return false;
        }
        const auto octets = name->view().octets();
        out_->insert(out_->end(), octets.begin(), octets.end());
        return next();
    }

    bool number16(const char* what) {
        if (!bare(what)) {
            return false;
        }
        const auto value = parse_number(entry_->word(at_), 0xFFFF);
        if (!value) {
            return fail(std::string("is not ") + what + " of 0..65535");
        }
        put16(*out_, *value);
        return next();
    }

    bool number32(const char* what) {
        if (!bare(what)) {
            return false;
        }
        const auto value = parse_number(entry_->word(at_), 0xFFFFFFFF);
        if (!value) {
            return fail(std::string("is not ") + what + " of 0..4294967295");
        }
        put32(*out_, *value);
        return next();
    }

    bool seconds(const char* what) {
        if (!bare(what)) {
            return false;
        }
        const auto value = parse_seconds(entry_->word(at_), kMaxSoaTime);
        if (!value) {
            return fail(std::string("is not ") + what + " (seconds, or like 1h30m)");
        }
        put32(*out_, *value);
        return next();
    }

    /// One character string, and all that follow.
    bool strings() {
        if (!present("text")) {
            return false;
        }
        while (at_ < entry_->tokens.size()) {
            const std::size_t length_at = out_->size();
            out_->push_back(0);
            if (entry_->tokens[at_].has_quote) {
                return fail("has a quote inside; put the whole text in quotes");
            }
            if (!unescape(entry_->word(at_), *out_)) {
                return fail("has a bad escape (use \\DDD with 000..255)");
            }
            const std::size_t length = out_->size() - length_at - 1;
            if (length > 255) {
                error_ = RdataError{
                    at_, "text of " + std::to_string(length) + " octets; one string holds 255"};
                return false;
            }
            (*out_)[length_at] = static_cast<std::uint8_t>(length);
            ++at_;
        }
        return true;
    }

    bool end() {
        if (at_ < entry_->tokens.size()) {
            error_ = RdataError{at_, "unexpected " + quoted() + " behind the record"};
        }
        return !error_;
    }

    [[nodiscard]] std::optional<RdataError> error() const { return error_; }

    // For \#, which is read elsewhere with the same rules.

    bool bare(const char* what) {
        if (!present(what)) {
            return false;
        }
        const auto& token = entry_->tokens[at_];
        return !token.quoted && !token.has_quote ? true : fail(std::string("is not ") + what);
    }

    [[nodiscard]] std::string_view word() const { return entry_->word(at_); }

    [[nodiscard]] bool more() const { return at_ < entry_->tokens.size(); }

    bool next() {
        ++at_;
        return true;
    }

    bool fail(const std::string& why) {
        error_ = RdataError{at_, quoted() + " " + why};
        return false;
    }

  private:
    bool present(const char* what) {
        if (at_ < entry_->tokens.size()) {
            return true;
        }
        error_ =
            RdataError{entry_->tokens.size() - 1, std::string("expected ") + what + " behind this"};
        return false;
    }

    [[nodiscard]] std::string quoted() const {
        constexpr std::size_t kShown = 60;
        return "'" + std::string(entry_->word(at_).substr(0, kShown)) + "'";
    }

    const Entry* entry_;
    std::size_t at_;
    dns::NameView origin_;
    Octets* out_;
    std::optional<RdataError> error_;
};

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char l = static_cast<char>(c | 0x20);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// RFC 3597 §5: \# length hex..., the digits in any number of words. Stands behind "\#".
bool read_generic(Fields& fields, Octets& out) {
    if (!fields.bare("the length of rdata")) {
        return false;
    }
    const auto length = parse_number(fields.word(), static_cast<std::uint32_t>(kMaxRdata));
    if (!length) {
        return fields.fail("is not the length of rdata (0..65535)");
    }
    fields.next();
    int high = -1;
    while (out.size() < *length || fields.more()) {
        if (!fields.bare("more hexadecimal digits")) {
            return false;
        }
        for (const char c : fields.word()) {
            const int value = hex_value(c);
            if (value < 0) {
                return fields.fail("is not hexadecimal");
            }
            if (high < 0) {
                high = value;
                continue;
            }
            out.push_back(static_cast<std::uint8_t>(high << 4 | value));
            high = -1;
        }
        if (out.size() > *length || (out.size() == *length && high >= 0)) {
            return fields.fail("goes beyond the length of " + std::to_string(*length) + " octets");
        }
        fields.next();
    }
    return true;
}

/// The words as one line for ldns. Two escapes that it misreads are written as \DDD.
std::string join(const RdataText& text) {
    std::string out;
    for (std::size_t i = text.first; i < text.entry->tokens.size(); ++i) {
        const bool quoted = text.entry->tokens[i].quoted;
        out += i == text.first ? "" : " ";
        out += quoted ? "\"" : "";
        const auto word = text.entry->word(i);
        for (std::size_t k = 0; k < word.size(); ++k) {
            if (word[k] == '\\' && k + 1 < word.size() &&
                (word[k + 1] == '\\' || word[k + 1] == '"')) {
                out += word[++k] == '\\' ? "\\092" : "\\034";
            } else {
                out += word[k];
            }
        }
        out += quoted ? "\"" : "";
    }
    return out;
}

/// Whether the first label is an escaped "@", and no more: ldns 1.8 takes the origin for such a
/// name.
bool begins_with_at(std::string_view word) {
    for (const std::string_view escape : {"\\@", "\\064"}) {
        if (word.starts_with(escape)) {
            word.remove_prefix(escape.size());
            return word.empty() || word.front() == '.';
        }
    }
    return false;
}

std::optional<RdataError> parse_by_ldns(RrType type, const RdataText& text, Octets& out) {
    const auto& entry = *text.entry;
    const bool svcb = type == RrType::SVCB || type == RrType::HTTPS;
    if (text.first >= entry.tokens.size()) {
        return RdataError{entry.tokens.size() - 1, "expected rdata behind this"};
    }
    for (std::size_t i = text.first; svcb && i < entry.tokens.size(); ++i) {
        // Lists are escaped twice (RFC 9460 appendix A.1); ldns 1.8 undoes it once.
        if (entry.word(i).starts_with("alpn=") && entry.word(i).find('\\') != std::string::npos) {
            return RdataError{i, "alpn with an escape; write the record as \\# (RFC 3597)"};
        }
    }
    if (!ldns_knows(type)) {
        return RdataError{text.first,
                          "rdata of " + dns::to_text(type) + " must be written as \\# (RFC 3597)"};
    }
    for (std::size_t i = text.first; i < entry.tokens.size(); ++i) {
        if (ldns_reads_name(type, i - text.first) && begins_with_at(entry.word(i))) {
            return RdataError{i, "a name that begins with \\@; write the record as \\# (RFC 3597)"};
        }
    }
    if (auto wrong = ldns_parse_rdata(type, join(text), text.origin, out)) {
        return RdataError{text.first, "bad " + dns::to_text(type) + " rdata: " + *wrong};
    }
    if (out.size() > kMaxRdata) {
        return RdataError{text.first, "rdata over 65535 octets"};
    }
    if (svcb && check_rdata(type, out)) {
        return RdataError{text.first,
                          "bad " + dns::to_text(type) + " rdata: a parameter is given twice"};
    }
    return std::nullopt;
}

/// False for the types that we leave to ldns.
bool read_own(RrType type, Fields& fields) {
    switch (type) {
        case RrType::A:
            fields.ipv4() && fields.end();
            return true;
        case RrType::AAAA:
            fields.ipv6() && fields.end();
            return true;
        case RrType::NS:
        case RrType::CNAME:
        case RrType::PTR:
        case RrType::DNAME:
            fields.name("a name") && fields.end();
            return true;
        case RrType::MX:
            fields.number16("a preference") && fields.name("a name") && fields.end();
            return true;
        case RrType::SRV:
            fields.number16("a priority") && fields.number16("a weight") &&
                fields.number16("a port") && fields.name("a target") && fields.end();
            return true;
        case RrType::SOA:
            fields.name("the primary's name") && fields.name("the mailbox") &&
                fields.number32("a serial") && fields.seconds("a refresh time") &&
                fields.seconds("a retry time") && fields.seconds("an expiry time") &&
                fields.seconds("a minimum") && fields.end();
            return true;
        case RrType::TXT:
            fields.strings();
            return true;
        default:
            return false;
    }
}

}  // namespace

base::Result<dns::Name, std::string> parse_name(const Entry& entry, std::size_t token,
                                                dns::NameView origin) {
    const auto& where = entry.tokens[token];
    if (where.quoted || where.has_quote) {
        return base::Err{std::string("expected a name, found a quote")};
    }
    auto name = dns::Name::parse(entry.word(token), origin);
    if (!name) {
        return base::Err{"bad name '" + std::string(entry.word(token).substr(0, 80)) +
                         "': " + name.error()};
    }
    return name;
}

std::optional<RdataError> parse_rdata(RrType type, const RdataText& text, Octets& out) {
    out.clear();
    Fields fields(text, out);
    if (text.first < text.entry->tokens.size() && text.entry->is_bare(text.first, "\\#")) {
        fields.next();
        if (!read_generic(fields, out)) {
            return fields.error();
        }
        if (auto wrong = check_rdata(type, out)) {
            return RdataError{text.first, "bad " + dns::to_text(type) + " rdata: " + *wrong};
        }
        return std::nullopt;
    }
    if (!read_own(type, fields)) {
        return parse_by_ldns(type, text, out);
    }
    if (!fields.error() && out.size() > kMaxRdata) {
        return RdataError{text.first, "rdata over 65535 octets"};
    }
    return fields.error();
}

}  // namespace steerd::zones
