#include "health/probers/body_search.h"

namespace steerd::probers {

BodySearch::State BodySearch::feed(std::string_view chunk) {
    if (state_ != State::Searching) {
        return state_;
    }
    chunk = chunk.substr(0, left_);
    left_ -= chunk.size();
    const std::size_t keep = text_.size() - 1;
    // Across the seam: the carried end and as much of the chunk as a match could reach into.
    carry_.append(chunk.substr(0, keep));
    if (carry_.find(text_) != std::string::npos || chunk.find(text_) != std::string_view::npos) {
        state_ = State::Found;
        return state_;
    }
    if (chunk.size() >= keep) {
        carry_.assign(chunk.substr(chunk.size() - keep));
    } else if (carry_.size() > keep) {
        carry_.erase(0, carry_.size() - keep);
    }
    if (left_ == 0) {
        state_ = State::NotInWindow;
    }
    return state_;
}

}  // namespace steerd::probers
