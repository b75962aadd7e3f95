#include "outputs/finding_actions.h"

namespace ectoscope {

void action_form(HtmlWriter& html, const std::string& id, std::initializer_list<Action> actions) {
  const std::string page = "/findings/" + url_escaped(id);
  const std::string api = "/api/v1" + page;
  html.open("form", {{"class", "actions"}, {"method", "post"}});
  html.raw(
      "<label>Your name <input name=\"by\" required maxlength=\"100\" "
      "autocomplete=\"username\"/></label>"
      "<label>Why, or what will be done <input name=\"why\" maxlength=\"500\"/></label>");
  for (const Action& action : actions) {
    const std::string path(action.path);
    html.element("button",
                 {{"type", "submit"},
                  {"formaction", page + path},
                  {"data-api", api + path},
                  {"data-done", std::string(action.done)}},
                 action.name);
  }
  html.raw("<p class=\"answer\" role=\"status\"></p></form>");
}

}  // namespace ectoscope
