using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>Everything that waits for a person.</summary>
internal static class InboxPage
{
    private const int MostItems = 200;

    public static async Task<Page> BuildAsync(PageRequest request)
    {
        var (inbox, _) = await request.Glass.FreshAsync(request.Cancellation).ConfigureAwait(false);
        return new Page("Inbox", "/inbox",
        [
            Part.Of("inbox", [Topics.Inbox], html =>
            {
                html.Inbox(inbox, request.Options, MostItems);
                html.Open("p").Twin("colibri inbox").Close();
            }),
        ]);
    }
}
