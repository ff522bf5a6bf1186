#include "base/problem.h"

namespace steerd::base {

std::string SourcePos::text() const {
    std::string out = file;
    if (line > 0) {
        out += ":" + std::to_string(line);
        if (column > 0) {
            out += ":" + std::to_string(column);
        }
    }
    return out;
}

std::string_view to_text(Severity severity) noexcept {
    return severity == Severity::Error ? "error" : "warning";
}

std::string Problem::text() const {
    const auto place = at.text();
    return (place.empty() ? std::string() : place + ": ") + std::string(to_text(severity)) + ": " +
           message;
}

void Problems::error(SourcePos at, std::string message) {
    all_.push_back({Severity::Error, std::move(at), std::move(message)});
    ++errors_;
}

void Problems::warning(SourcePos at, std::string message) {
    all_.push_back({Severity::Warning, std::move(at), std::move(message)});
}

void Problems::append(const Problems& other) {
    all_.insert(all_.end(), other.all_.begin(), other.all_.end());
    errors_ += other.errors_;
}

std::string Problems::text() const {
    std::string out;
    for (const auto& problem : all_) {
        if (!out.empty()) {
            out += '\n';
        }
        out += problem.text();
    }
    return out;
}

}  // namespace steerd::base
