// $ORIGIN, $TTL, $INCLUDE, $GENERATE. After an included file the origin and the owner are what they
// were before it (RFC 1035 §5.1); a $TTL in it stays, as in BIND. Thread rule: see master_file.h.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "base/text.h"
#include "zones/fields.h"
#include "zones/generate.h"
#include "zones/master_file.h"
#include "zones/rdata.h"

namespace steerd::zones {

namespace {

struct Free {
    void operator()(char* text) const noexcept { std::free(text); }
};

base::Result<std::string, std::string> real_path(const std::string& path) {
    const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
    if (!real) {
        return base::Err{std::generic_category().message(errno)};
    }
    return std::string(real.get());
}

bool climbs(std::string_view path) {
    while (!path.empty()) {
        const auto slash = path.find('/');
        if (path.substr(0, slash) == "..") {
            return true;
        }
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return false;
}

/// The file an $INCLUDE means, all links followed: it must lie in the folder even then.
base::Result<std::string, std::string> resolve_include(const std::string& folder,
                                                       const std::string& word) {
    if (word.empty() || word.front() == '/' || climbs(word) ||
        word.find('\0') != std::string::npos) {
        return base::Err{std::string("must be a path inside the zone file's folder")};
    }
    const auto root = real_path(folder);
    if (!root) {
        return base::Err{root.error()};
    }
    auto path = real_path(*root + "/" + word);
    if (!path) {
        return base::Err{path.error()};
    }
    if (!path->starts_with(*root == "/" ? "/" : *root + "/")) {
        return base::Err{std::string("leads out of the zone file's folder")};
    }
    return path;
}

}  // namespace

void MasterFileReader::allow_includes(const std::string& path) {
    const auto slash = path.rfind('/');
    folder_ = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    if (auto real = real_path(path)) {
        open_.push_back(std::move(real).value());
    }
}

bool MasterFileReader::takes_words(const Entry& entry, std::size_t least, std::size_t most) {
    const std::size_t words = entry.tokens.size() - 1;
    if (words < least) {
        error(entry, words, "expected more behind this");
    } else if (words > most) {
        error(entry, most + 1,
              "unexpected '" + std::string(entry.word(most + 1).substr(0, 60)) + "'");
    }
    return words >= least && words <= most;
}

void MasterFileReader::directive(const Entry& entry) {
    const auto word = base::ascii_lower(entry.word(0).substr(0, 16));
    if (word == "$origin") {
        set_origin(entry);
    } else if (word == "$ttl") {
        set_ttl(entry);
    } else if (word == "$include") {
        include(entry);
    } else if (word == "$generate") {
        generate(entry);
    } else {
        error(entry, 0, "unknown directive '" + std::string(entry.word(0).substr(0, 60)) + "'");
    }
}

void MasterFileReader::set_origin(const Entry& entry) {
    if (!takes_words(entry, 1, 1)) {
        return;
    }
    const auto name = parse_name(entry, 1, origin_);
    if (!name) {
        error(entry, 1, name.error());
        return;
    }
    origin_ = *name;
}

void MasterFileReader::set_ttl(const Entry& entry) {
    if (!takes_words(entry, 1, 1)) {
        return;
    }
    const auto seconds = parse_seconds(entry.word(1), dns::Ttl::kMax);
    if (!seconds || entry.tokens[1].quoted) {
        error(entry, 1,
              "'" + std::string(entry.word(1).substr(0, 60)) +
                  "' is not a TTL (0..2147483647, or like 1h30m)");
        return;
    }
    default_ttl_s_ = seconds;
}

void MasterFileReader::include(const Entry& entry) {
    if (!takes_words(entry, 1, 2)) {
        return;
    }
    std::vector<std::uint8_t> octets;
    if (folder_.empty()) {
        error(entry, 1, "$INCLUDE is not possible here");
        return;
    }
    if (!unescape(entry.word(1), octets) || entry.tokens[1].has_quote) {
        error(entry, 1, "bad file name");
        return;
    }
    auto origin = origin_;
    if (entry.tokens.size() > 2) {
        const auto name = parse_name(entry, 2, origin_);
        if (!name) {
            error(entry, 2, name.error());
            return;
        }
        origin = *name;
    }
    const std::string word(octets.begin(), octets.end());
    const auto path = resolve_include(folder_, word);
    if (!path) {
        error(entry, 1, "cannot include '" + word + "': " + path.error());
        return;
    }
    const auto outer_origin = origin_;
    const auto outer_owner = owner_;
    const auto outer_state = owner_state_;
    const auto outer_file = file_;
    origin_ = origin;
    include_file(entry, word, *path);
    origin_ = outer_origin;
    owner_ = outer_owner;
    owner_state_ = outer_state;
    file_ = outer_file;
}

void MasterFileReader::include_file(const Entry& entry, const std::string& word,
                                    const std::string& path) {
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
        error(entry, 1, "'" + word + "' includes itself");
        return;
    }
    const bool deep = open_.size() > kMaxIncludeDepth;
    if (deep || ++includes_ > kMaxIncludes) {
        error(entry, 1,
              deep ? "includes are over 10 files deep" : "over 10000 includes in one zone");
        return;
    }
    auto source = TextSource::open(path);
    if (!source) {
        error(entry, 1, "cannot include '" + word + "': " + source.error());
        return;
    }
    open_.push_back(path);
    file_ = builder_->add_file(folder_ == "." ? word : folder_ + "/" + word);
    Tokenizer tokens(std::move(source).value());
    read_entries(tokens);
    open_.pop_back();
}

/// $GENERATE range owner [TTL] [class] type rdata: the rdata as words, or all of it in one quote.
void MasterFileReader::generate(const Entry& entry) {
    if (!takes_words(entry, 4, kMaxEntryTokens)) {
        return;
    }
    const auto range = parse_generate_range(entry.word(1));
    if (!range) {
        error(entry, 1, "not a range: start-stop or start-stop/step");
        return;
    }
    if (range->count() > kMaxGenerated - generated_) {
        error(entry, 1, "over 1048576 generated records in one zone");
        return;
    }
    generated_ += range->count();
    const auto found = middle(entry, 3);
    if (!found) {
        return;
    }
    Entry words;
    for (std::size_t i = 2; i < entry.tokens.size(); ++i) {
        words.append(entry.word(i), entry.tokens[i]);
    }
    const std::size_t rdata = found->rdata;
    if (entry.tokens.size() == rdata + 1 && entry.tokens[rdata].quoted) {
        Entry inner;
        Tokenizer tokens{TextSource(entry.word(rdata))};
        if (tokens.next(inner) == Tokenizer::Outcome::Mistake) {
            error(entry, rdata, tokens.mistake().message);
            return;
        }
        words.tokens.pop_back();
        for (std::size_t i = 0; i < inner.tokens.size(); ++i) {
            Token like = inner.tokens[i];
            like.line = entry.tokens[rdata].line;
            like.column = entry.tokens[rdata].column;
            words.append(inner.word(i), like);
        }
    }
    std::vector<GenerateTemplate> templates;
    for (std::size_t i = 0; i < words.tokens.size(); ++i) {
        auto one = GenerateTemplate::parse(words.word(i));
        if (!one) {
            error(words, i, one.error());
            return;
        }
        templates.push_back(std::move(one).value());
    }
    const auto errors = report_->errors();
    Entry made;
    for (std::uint64_t n = 0; n < range->count() && report_->errors() == errors; ++n) {
        made.clear();
        for (std::size_t i = 0; i < templates.size(); ++i) {
            const auto counter = range->start + static_cast<std::uint32_t>(n * range->step);
            const auto word = templates[i].expand(counter);
            if (!word) {
                error(words, i,
                      "counter " + std::to_string(counter) + " and offset leave 0..2^32-1");
                return;
            }
            made.append(*word, words.tokens[i]);
        }
        record(made);
    }
}

}  // namespace steerd::zones
