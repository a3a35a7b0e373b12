// A page that the browser kept, and shows again by its back button, may be of a login that is over:
// ask for it anew.  (Browsers that heed "Cache-Control: no-store" here keep none.)
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
