// What a person can ask of a finding, as a form.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "outputs/html.h"

namespace ectoscope {

/// A button.
struct Action {
  std::string_view path;  // behind the finding's
  std::string_view name;
  std::string_view done;  // what to say then
};

/// Asks for a name and a reason.  Works without a script too, by the buttons' own addresses.
void action_form(HtmlWriter& html, const std::string& id, std::initializer_list<Action> actions);

}  // namespace ectoscope
