// Entries to records. TTL and class may come in either order (RFC 1035 §5.1); a word that begins
// with a digit is a TTL, since no type does. Thread rule: see master_file.h.
#include "zones/master_file.h"

#include <algorithm>

#include "base/text.h"
#include "zones/fields.h"
#include "zones/rdata.h"
#include "zones/rdata_ldns.h"

namespace steerd::zones {

namespace {

using dns::RrType;

enum class ClassWord : std::uint8_t { None, In, Other };

ClassWord class_of(std::string_view word) {
    if (word == "IN" || word == "in") {
        return ClassWord::In;
    }
    const auto lowered = base::ascii_lower(word);
    if (lowered == "in" || lowered == "class1") {
        return ClassWord::In;
    }
    const bool other = lowered == "ch" || lowered == "hs" || lowered == "cs" ||
                       (lowered.starts_with("class") && parse_number(word.substr(5), 0xFFFF));
    return other ? ClassWord::Other : ClassWord::None;
}

/// Types that are questions or belong to a message, not to a zone (RFC 6895 §3.1).
bool is_meta(RrType type) noexcept {
    const auto number = static_cast<unsigned>(type);
    return number == 0 || type == RrType::OPT || (number >= 128 && number <= 255);
}

std::string shown(std::string_view word) { return "'" + std::string(word.substr(0, 60)) + "'"; }

}  // namespace

void MasterFileReader::error(const Entry& entry, std::size_t token, std::string message) {
    report_->error(builder_->source_pos(pos(entry.tokens[token])), std::move(message));
}

void MasterFileReader::read(TextSource source, const std::string& name) {
    file_ = builder_->add_file(name);
    Tokenizer tokens(std::move(source));
    read_entries(tokens);
}

void MasterFileReader::read_entries(Tokenizer& tokens) {
    Entry entry;
    for (;;) {
        const auto outcome = tokens.next(entry);
        if (octets_ + tokens.source().octets() > kMaxTextOctets) {
            report_->error(builder_->source_pos({file_, tokens.line(), 0}),
                           "the zone's files are over 4 GiB");
            break;
        }
        if (outcome == Tokenizer::Outcome::End || report_->full()) {
            break;
        }
        if (outcome == Tokenizer::Outcome::Mistake) {
            const auto& mistake = tokens.mistake();
            report_->error(builder_->source_pos({file_, mistake.line, mistake.column}),
                           mistake.message);
        } else if (!entry.blank_first && !entry.tokens.front().quoted &&
                   entry.word(0).starts_with('$')) {
            directive(entry);
        } else {
            record(entry);
        }
    }
    octets_ += tokens.source().octets();
    if (const auto& failure = tokens.source().failure(); !failure.empty()) {
        report_->error(builder_->source_pos({file_, tokens.line(), 0}), "cannot read: " + failure);
    }
}

void MasterFileReader::owner(const Entry& entry) {
    owner_state_ = OwnerState::Bad;
    const auto name = parse_name(entry, 0, origin_);
    if (!name) {
        error(entry, 0, name.error());
    } else if (!name->view().is_at_or_below(apex_)) {
        error(entry, 0, name->to_text() + " is outside the zone " + apex_.to_text());
    } else {
        owner_ = *name;
        owner_state_ = OwnerState::Good;
    }
}

std::optional<RrType> MasterFileReader::type(const Entry& entry, std::size_t at) {
    const auto word = entry.word(at);
    auto found = dns::parse_type(word);
    if (!found) {
        found = ldns_type(std::string(word));
    }
    if (!found) {
        error(entry, at, "unknown type " + shown(word) + " (TYPEnnn names any by its number)");
    } else if (is_meta(*found)) {
        error(entry, at, dns::to_text(*found) + " is not a type of data");
        found.reset();
    }
    return found;
}

std::optional<MasterFileReader::Middle> MasterFileReader::middle(const Entry& entry,
                                                                 std::size_t at) {
    Middle result;
    bool has_class = false;
    for (; at < entry.tokens.size(); ++at) {
        const auto word = entry.word(at);
        if (entry.tokens[at].quoted || entry.tokens[at].has_quote) {
            error(entry, at, "expected a type, found a quote");
            return std::nullopt;
        }
        if (!result.ttl_s && word.front() >= '0' && word.front() <= '9') {
            result.ttl_s = parse_seconds(word, dns::Ttl::kMax);
            if (!result.ttl_s) {
                error(entry, at, shown(word) + " is not a TTL (0..2147483647, or like 1h30m)");
                return std::nullopt;
            }
            continue;
        }
        const auto rrclass = has_class ? ClassWord::None : class_of(word);
        if (rrclass == ClassWord::Other) {
            error(entry, at, "class " + std::string(word) + "; only IN is served");
            return std::nullopt;
        }
        if (rrclass == ClassWord::In) {
            has_class = true;
            continue;
        }
        const auto found = type(entry, at);
        if (!found) {
            return std::nullopt;
        }
        result.type = *found;
        result.rdata = at + 1;
        return result;
    }
    error(entry, entry.tokens.size() - 1, "expected a type behind this");
    return std::nullopt;
}

/// Without a TTL of its own a record has that of $TTL, else the SOA minimum.
std::optional<std::uint32_t> MasterFileReader::ttl_of(const Entry& entry, const Middle& middle) {
    if (middle.ttl_s || default_ttl_s_) {
        return middle.ttl_s ? middle.ttl_s : default_ttl_s_;
    }
    if (!soa_minimum_s_) {
        error(entry, middle.rdata - 1, "no TTL: give one, or $TTL, or the SOA first");
        return std::nullopt;
    }
    if (!told_no_ttl_) {
        told_no_ttl_ = true;
        report_->warning(builder_->source_pos(pos(entry.tokens[middle.rdata - 1])),
                         "no TTL and no $TTL; the SOA minimum (" + std::to_string(*soa_minimum_s_) +
                             ") is used here and below");
    }
    return soa_minimum_s_;
}

void MasterFileReader::record(const Entry& entry) {
    if (!entry.blank_first) {
        owner(entry);
    } else if (owner_state_ == OwnerState::None) {
        error(entry, 0, "no owner: the first record begins with a blank");
        owner_state_ = OwnerState::Bad;
    }
    const auto found = middle(entry, entry.blank_first ? 0 : 1);
    if (!found) {
        return;
    }
    const RdataText text{&entry, found->rdata, origin_};
    if (const auto wrong = parse_rdata(found->type, text, rdata_)) {
        error(entry, wrong->token, wrong->message);
        builder_->note_mistake(found->type);
        return;
    }
    if (owner_state_ != OwnerState::Good) {
        return;  // said where the owner stands
    }
    if (found->type == RrType::SOA && !soa_minimum_s_) {
        std::uint32_t minimum = 0;
        for (auto octet = rdata_.end() - 4; octet != rdata_.end(); ++octet) {
            minimum = minimum << 8 | *octet;
        }
        soa_minimum_s_ = std::min(minimum, dns::Ttl::kMax);
    }
    if (const auto ttl_s = ttl_of(entry, *found)) {
        builder_->add(
            {owner_, found->type, dns::Ttl(*ttl_s), rdata_, pos(entry.tokens[found->rdata - 1])});
    }
}

}  // namespace steerd::zones
